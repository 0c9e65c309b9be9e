// What the handles of the C interface are, and how its calls become those of the core: exceptions
// are statuses, nothing crosses the boundary.
#pragma once

#include <lstmfast/lstmfast.h>

#include <new>
#include <stdexcept>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <vector>

#include "api/any_model.h"
#include "api/any_stream.h"

struct lstmfast_model {
  lstmfast::api::AnyModel model;
};

struct lstmfast_stream {
  lstmfast::api::AnyStream stream;
  // scratch of process, by element type: an item for each input
  std::tuple<std::vector<lstmfast::model::StepInput<float>>,
             std::vector<lstmfast::model::StepInput<double>>>
      inputs;
};

namespace lstmfast::api::c {

// Keeps the text for lstmfast_error_message(); returns `status`.
lstmfast_status fail(lstmfast_status status, const char* message) noexcept;

// f(), with exceptions as statuses; `invalid`: that of std::invalid_argument.
template <class F>
lstmfast_status guarded(F f, lstmfast_status invalid = LSTMFAST_INVALID_ARGUMENT) noexcept {
  try {
    f();
    return LSTMFAST_OK;
  } catch (const std::invalid_argument& error) {
    return fail(invalid, error.what());
  } catch (const std::bad_alloc& error) {
    return fail(LSTMFAST_OUT_OF_MEMORY, error.what());
  } catch (const std::system_error& error) {
    return fail(LSTMFAST_SYSTEM_ERROR, error.what());
  } catch (const std::runtime_error& error) {
    return fail(LSTMFAST_BUSY, error.what());
  } catch (const std::exception& error) {
    return fail(LSTMFAST_INTERNAL_ERROR, error.what());
  } catch (...) {
    return fail(LSTMFAST_INTERNAL_ERROR, "unknown error");
  }
}

inline const AnyModel& held_by(const lstmfast_model& handle) { return handle.model; }
inline const AnyStream& held_by(const lstmfast_stream& handle) { return handle.stream; }

// f(model or stream), a number; 0 for a null handle.
template <class Handle, class F>
std::int64_t number_of(const Handle* handle, F f) noexcept {
  return handle == nullptr ? 0 : held_by(*handle).visit(f);
}

// Throws where a pointer that the call needs is null.
inline void need(const char* op, const char* name, const void* pointer) {
  LF_CHECK(pointer != nullptr, "[" << op << "] " << name << " is null");
}
// Throws where one of `count` pointers is null.
template <class P>
void need_all(const char* op, const char* name, const P* pointers, index count) {
  need(op, name, pointers);
  for (index k = 0; k < count; ++k) {
    LF_CHECK(pointers[k] != nullptr, "[" << op << "] " << name << "[" << k << "] is null");
  }
}

// Throws unless 0 <= at < count.
inline void need_index(const char* op, const char* name, std::int64_t at, index count) {
  LF_CHECK(at >= 0 && at < count,
           "[" << op << "] " << name << " is " << at << "; expected 0 to " << count - 1);
}

// f(C<T>&) of an object that computes in T; throws for one of the other type.
template <class T, template <class> class C, class F>
void with_type(const char* op, const Any<C>& any, F f) {
  any.visit([&](auto& held) {
    if constexpr (std::is_same_v<Element<decltype(held)>, T>) {
      f(held);
    } else {
      LF_FAIL("[" << op << "] the model computes in " << any.dtype()
                  << "; expected the function of "
                  << "that type, which ends in " << (sizeof(T) == 4 ? "_f64" : "_f32"));
    }
  });
}

template <template <class> class C>
lstmfast_dtype dtype_of(const Any<C>& any) {
  return any.visit([](auto& held) {
    return sizeof(Element<decltype(held)>) == 4 ? LSTMFAST_FLOAT32 : LSTMFAST_FLOAT64;
  });
}

inline void write_port(const layers::Shape& shape, index ids, bool steps, lstmfast_port* port) {
  static_assert(layers::Shape::kMaxRank <= LSTMFAST_MAX_RANK);
  *port = {};
  for (const index size : shape) port->sizes[port->rank++] = size;
  port->count = shape.known() ? shape.count() : -1;
  port->ids = ids;
  port->steps = steps ? 1 : 0;
}

}  // namespace lstmfast::api::c
