// The C++ interface of lstmfast, above the C interface: owners that are moved, exceptions where a
// model is loaded or a stream is made, and none from there on. Needs C++11.
//
//   const auto model = lstmfast::Model::load("model.safetensors");
//   lstmfast::Stream stream(model);
//   float x, y;
//   while (read_sample(x)) stream.step(&x, &y);
#ifndef LSTMFAST_LSTMFAST_HPP_
#define LSTMFAST_LSTMFAST_HPP_

#include <lstmfast/lstmfast.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace lstmfast {

using Port = lstmfast_port;

class Error : public std::runtime_error {
 public:
  Error(lstmfast_status status, const char* message)
      : std::runtime_error(message), status_(status) {}
  lstmfast_status status() const noexcept { return status_; }

 private:
  lstmfast_status status_;
};

namespace detail {

inline void check(lstmfast_status status) {
  if (status != LSTMFAST_OK) throw Error(status, lstmfast_error_message());
}

// The functions of the C interface by element type.
inline lstmfast_status step(lstmfast_stream* s, const float* x, float* y) noexcept {
  return lstmfast_stream_step_f32(s, x, y);
}
inline lstmfast_status step(lstmfast_stream* s, const double* x, double* y) noexcept {
  return lstmfast_stream_step_f64(s, x, y);
}
inline lstmfast_status process(lstmfast_stream* s, std::int64_t steps, const float* x,
                               float* y) noexcept {
  return lstmfast_stream_process_f32(s, steps, x, y);
}
inline lstmfast_status process(lstmfast_stream* s, std::int64_t steps, const double* x,
                               double* y) noexcept {
  return lstmfast_stream_process_f64(s, steps, x, y);
}
inline lstmfast_status process_all(lstmfast_stream* s, std::int64_t steps, const void* const* x,
                                   float* const* y) noexcept {
  return lstmfast_stream_process_all_f32(s, steps, x, y);
}
inline lstmfast_status process_all(lstmfast_stream* s, std::int64_t steps, const void* const* x,
                                   double* const* y) noexcept {
  return lstmfast_stream_process_all_f64(s, steps, x, y);
}
inline lstmfast_status get(const lstmfast_stream* s, std::int64_t row, float* state) noexcept {
  return lstmfast_stream_get_state_f32(s, row, state);
}
inline lstmfast_status get(const lstmfast_stream* s, std::int64_t row, double* state) noexcept {
  return lstmfast_stream_get_state_f64(s, row, state);
}
inline lstmfast_status set(lstmfast_stream* s, std::int64_t row, const float* state) noexcept {
  return lstmfast_stream_set_state_f32(s, row, state);
}
inline lstmfast_status set(lstmfast_stream* s, std::int64_t row, const double* state) noexcept {
  return lstmfast_stream_set_state_f64(s, row, state);
}
inline lstmfast_status predict(const lstmfast_model* m, std::int64_t samples,
                               const std::int64_t* steps, const void* const* x,
                               float* const* y) noexcept {
  return lstmfast_model_predict_f32(m, samples, steps, x, y);
}
inline lstmfast_status predict(const lstmfast_model* m, std::int64_t samples,
                               const std::int64_t* steps, const void* const* x,
                               double* const* y) noexcept {
  return lstmfast_model_predict_f64(m, samples, steps, x, y);
}

}  // namespace detail

// A model: its layers and weights. Const calls may run on any number of threads.
class Model {
 public:
  // Throws Error for a file that cannot be read or is damaged.
  static Model load(const std::string& path) {
    lstmfast_model* handle = nullptr;
    detail::check(lstmfast_model_load(path.c_str(), &handle));
    return Model(handle);
  }
  // From the bytes of a file, which are needed during the call alone.
  static Model load(const void* bytes, std::size_t size) {
    lstmfast_model* handle = nullptr;
    detail::check(lstmfast_model_load_bytes(bytes, size, &handle));
    return Model(handle);
  }

  lstmfast_dtype dtype() const noexcept { return lstmfast_model_dtype(handle()); }
  std::int64_t inputs() const noexcept { return lstmfast_model_inputs(handle()); }
  std::int64_t outputs() const noexcept { return lstmfast_model_outputs(handle()); }
  std::int64_t memory() const noexcept { return lstmfast_model_memory(handle()); }

  Port input(std::int64_t k = 0) const {
    Port port;
    detail::check(lstmfast_model_input(handle(), k, &port));
    return port;
  }
  // steps: for each input what stands for -1 in its shape.
  Port output(std::int64_t k = 0, const std::vector<std::int64_t>& steps = {}) const {
    Port port;
    detail::check(lstmfast_model_output(handle(), data(steps), k, &port));
    return port;
  }

  // Runs whole sequences: x[k] [samples][shape of input k], of T or std::int32_t; y[k]
  // [samples][shape of output k]. T: the model's type. Throws Error.
  template <class T>
  void predict(std::int64_t samples, const std::vector<std::int64_t>& steps,
               const std::vector<const void*>& x, const std::vector<T*>& y) const {
    if (static_cast<std::int64_t>(x.size()) != inputs() ||
        static_cast<std::int64_t>(y.size()) != outputs()) {
      throw Error(LSTMFAST_INVALID_ARGUMENT,
                  "[model.predict] expected an array for each input and each output");
    }
    detail::check(detail::predict(handle(), samples, data(steps), x.data(), y.data()));
  }

  const lstmfast_model* handle() const noexcept { return handle_.get(); }

 private:
  struct Free {
    void operator()(lstmfast_model* model) const noexcept { lstmfast_model_free(model); }
  };

  explicit Model(lstmfast_model* handle) : handle_(handle) {}
  // Throws unless there is a number for each input, or none.
  const std::int64_t* data(const std::vector<std::int64_t>& steps) const {
    if (steps.empty()) return nullptr;
    if (static_cast<std::int64_t>(steps.size()) != inputs()) {
      throw Error(LSTMFAST_INVALID_ARGUMENT, "[model] expected steps for each input");
    }
    return steps.data();
  }

  std::unique_ptr<lstmfast_model, Free> handle_;
};

// Sequences, one a row, step by step as they come. For one thread at a time. Keeps the weights of
// its model. After construction no method but copy, input and output throws, allocates, locks or
// calls the system; where one returns another status than LSTMFAST_OK, nothing has changed and
// lstmfast_error_message() says why.
class Stream {
 public:
  // Throws Error where a layer of the model needs the whole sequence.
  explicit Stream(const Model& model, std::int64_t rows = 1) {
    lstmfast_stream* handle = nullptr;
    detail::check(lstmfast_stream_new(model.handle(), rows, &handle));
    handle_.reset(handle);
  }
  // One that continues on its own from the same state.
  Stream copy() const {
    lstmfast_stream* handle = nullptr;
    detail::check(lstmfast_stream_copy(this->handle(), &handle));
    return Stream(handle);
  }

  lstmfast_dtype dtype() const noexcept { return lstmfast_stream_dtype(handle()); }
  std::int64_t rows() const noexcept { return lstmfast_stream_rows(handle()); }
  std::int64_t inputs() const noexcept { return lstmfast_stream_inputs(handle()); }
  std::int64_t outputs() const noexcept { return lstmfast_stream_outputs(handle()); }
  std::int64_t memory() const noexcept { return lstmfast_stream_memory(handle()); }
  std::int64_t state_size() const noexcept { return lstmfast_stream_state_size(handle()); }
  Port input(std::int64_t k = 0) const {
    Port port;
    detail::check(lstmfast_stream_input(handle(), k, &port));
    return port;
  }
  Port output(std::int64_t k = 0) const {
    Port port;
    detail::check(lstmfast_stream_output(handle(), k, &port));
    return port;
  }

  // The next step, or steps, of a stream with one input, of numbers, and one output. T: the model's
  // type, float or double. x [rows][steps][shape], y [rows][steps][shape]; those of a step may be
  // the same memory.
  template <class T>
  lstmfast_status step(const T* x, T* y) noexcept {
    return detail::step(handle(), x, y);
  }
  template <class T>
  lstmfast_status process(std::int64_t steps, const T* x, T* y) noexcept {
    return detail::process(handle(), steps, x, y);
  }
  // The next steps of any stream. x[k]: of T, or of std::int32_t where the input takes ids; y[k]:
  // null where an output is not wanted.
  template <class T>
  lstmfast_status process_all(std::int64_t steps, const void* const* x, T* const* y) noexcept {
    return detail::process_all(handle(), steps, x, y);
  }

  // The next step of all rows, or of one, begins a new sequence.
  lstmfast_status reset() noexcept { return lstmfast_stream_reset(handle()); }
  lstmfast_status reset(std::int64_t row) noexcept {
    return lstmfast_stream_reset_row(handle(), row);
  }
  // state [state_size()]: what one row carries to its next step.
  template <class T>
  lstmfast_status get_state(std::int64_t row, T* state) const noexcept {
    return detail::get(handle(), row, state);
  }
  template <class T>
  lstmfast_status set_state(std::int64_t row, const T* state) noexcept {
    return detail::set(handle(), row, state);
  }

  lstmfast_stream* handle() const noexcept { return handle_.get(); }

 private:
  struct Free {
    void operator()(lstmfast_stream* stream) const noexcept { lstmfast_stream_free(stream); }
  };

  explicit Stream(lstmfast_stream* handle) : handle_(handle) {}

  std::unique_ptr<lstmfast_stream, Free> handle_;
};

}  // namespace lstmfast

#endif  // LSTMFAST_LSTMFAST_HPP_
