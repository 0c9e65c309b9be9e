// The C interface: streams.
#include <memory>
#include <utility>
#include <vector>

#include "api/c/handles.h"

namespace lstmfast::api::c {
namespace {

template <class T>
using Inputs = std::vector<model::StepInput<T>>;

lstmfast_stream* handle_of(AnyStream stream) {
  return stream.visit([&](auto& held) {
    using T = Element<decltype(held)>;
    auto made = std::make_unique<lstmfast_stream>(lstmfast_stream{stream, {}});
    std::get<Inputs<T>>(made->inputs).resize(static_cast<std::size_t>(held.inputs()));
    return made.release();
  });
}

// f(stream) of either type.
template <class F>
lstmfast_status with_stream(const char* op, const lstmfast_stream* stream, F f) noexcept {
  return guarded([&] {
    need(op, "stream", stream);
    stream->stream.visit(f);
  });
}

// f(stream), to run so many steps.
template <class T, class F>
lstmfast_status run(const char* op, lstmfast_stream* stream, std::int64_t steps, F f) noexcept {
  return guarded([&] {
    need(op, "stream", stream);
    LF_CHECK(steps >= 1, "[" << op << "] steps is " << steps << "; expected at least 1");
    with_type<T>(op, stream->stream, f);
  });
}

template <class T>
lstmfast_status process(const char* op, lstmfast_stream* stream, std::int64_t steps, const T* x,
                        T* y) noexcept {
  return run<T>(op, stream, steps, [&](auto& held) {
    LF_CHECK(held.is_plain(),
             "[" << op << "] the stream has " << held.inputs() << " inputs and " << held.outputs()
                 << " outputs, or takes ids; expected one input of numbers and one output: use "
                 << "process_all");
    need(op, "x", x);
    need(op, "y", y);
    const model::StepInput<T> input{x, nullptr};
    held.process(steps, &input, &y);
  });
}

template <class T>
lstmfast_status process_all(lstmfast_stream* stream, std::int64_t steps, const void* const* x,
                            T* const* y) noexcept {
  const char* const op = "stream.process_all";
  return run<T>(op, stream, steps, [&](auto& held) {
    need_all(op, "x", x, held.inputs());
    need(op, "y", y);
    Inputs<T>& inputs = std::get<Inputs<T>>(stream->inputs);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const bool ids = held.ids(static_cast<index>(k)) > 0;
      inputs[k] = {ids ? nullptr : static_cast<const T*>(x[k]),
                   ids ? static_cast<const std::int32_t*>(x[k]) : nullptr};
    }
    held.process(steps, inputs.data(), y);
  });
}

constexpr const char* kState = "stream.state";

// f(stream), to read or write the state of the row.
template <class T, class F>
lstmfast_status with_state(const lstmfast_stream* stream, std::int64_t row, const T* state,
                           F f) noexcept {
  return guarded([&] {
    need(kState, "stream", stream);
    with_type<T>(kState, stream->stream, [&](auto& held) {
      need_index(kState, "row", row, held.rows());
      if (held.state_size() > 0) need(kState, "state", state);
      f(held);
    });
  });
}

template <class T>
lstmfast_status get_state(const lstmfast_stream* stream, std::int64_t row, T* state) noexcept {
  return with_state(stream, row, state, [&](auto& held) { held.get(row, state); });
}

template <class T>
lstmfast_status set_state(lstmfast_stream* stream, std::int64_t row, const T* state) noexcept {
  return with_state(stream, row, state, [&](auto& held) { held.set(row, state); });
}

}  // namespace

extern "C" {

lstmfast_status lstmfast_stream_new(const lstmfast_model* model, std::int64_t rows,
                                    lstmfast_stream** stream) noexcept {
  const lstmfast_status status = guarded([&] {
    need("stream", "model", model);
    need("stream", "stream", stream);
    LF_CHECK(rows >= 1, "[stream] rows is " << rows << "; expected at least 1");
  });
  if (status != LSTMFAST_OK) return status;
  return guarded([&] { *stream = handle_of(make_stream(model->model, rows, false)); },
                 LSTMFAST_CANNOT_STREAM);
}

lstmfast_status lstmfast_stream_copy(const lstmfast_stream* stream,
                                     lstmfast_stream** copy) noexcept {
  const char* const op = "stream.copy";
  return with_stream(op, stream, [&](auto& held) {
    using T = Element<decltype(held)>;
    need(op, "copy", copy);
    *copy = handle_of(AnyStream(std::make_shared<model::Stream<T>>(std::as_const(held))));
  });
}

void lstmfast_stream_free(lstmfast_stream* stream) noexcept { delete stream; }

lstmfast_dtype lstmfast_stream_dtype(const lstmfast_stream* stream) noexcept {
  return stream == nullptr ? LSTMFAST_FLOAT32 : dtype_of(stream->stream);
}

std::int64_t lstmfast_stream_rows(const lstmfast_stream* stream) noexcept {
  return number_of(stream, [](auto& held) { return held.rows(); });
}

std::int64_t lstmfast_stream_inputs(const lstmfast_stream* stream) noexcept {
  return number_of(stream, [](auto& held) { return held.inputs(); });
}

std::int64_t lstmfast_stream_outputs(const lstmfast_stream* stream) noexcept {
  return number_of(stream, [](auto& held) { return held.outputs(); });
}

std::int64_t lstmfast_stream_memory(const lstmfast_stream* stream) noexcept {
  return number_of(stream, [](auto& held) { return static_cast<index>(held.bytes()); });
}

std::int64_t lstmfast_stream_state_size(const lstmfast_stream* stream) noexcept {
  return number_of(stream, [](auto& held) { return held.state_size(); });
}

lstmfast_status lstmfast_stream_input(const lstmfast_stream* stream, std::int64_t input,
                                      lstmfast_port* port) noexcept {
  const char* const op = "stream.input";
  return with_stream(op, stream, [&](auto& held) {
    need(op, "port", port);
    need_index(op, "input", input, held.inputs());
    write_port(held.in_shape(input), held.ids(input), held.in_steps(input), port);
  });
}

lstmfast_status lstmfast_stream_output(const lstmfast_stream* stream, std::int64_t output,
                                       lstmfast_port* port) noexcept {
  const char* const op = "stream.output";
  return with_stream(op, stream, [&](auto& held) {
    need(op, "port", port);
    need_index(op, "output", output, held.outputs());
    write_port(held.out_shape(output), 0, held.out_steps(output), port);
  });
}

lstmfast_status lstmfast_stream_step_f32(lstmfast_stream* stream, const float* x,
                                         float* y) noexcept {
  return process("stream.step", stream, 1, x, y);
}

lstmfast_status lstmfast_stream_step_f64(lstmfast_stream* stream, const double* x,
                                         double* y) noexcept {
  return process("stream.step", stream, 1, x, y);
}

lstmfast_status lstmfast_stream_process_f32(lstmfast_stream* stream, std::int64_t steps,
                                            const float* x, float* y) noexcept {
  return process("stream.process", stream, steps, x, y);
}

lstmfast_status lstmfast_stream_process_f64(lstmfast_stream* stream, std::int64_t steps,
                                            const double* x, double* y) noexcept {
  return process("stream.process", stream, steps, x, y);
}

lstmfast_status lstmfast_stream_process_all_f32(lstmfast_stream* stream, std::int64_t steps,
                                                const void* const* x, float* const* y) noexcept {
  return process_all(stream, steps, x, y);
}

lstmfast_status lstmfast_stream_process_all_f64(lstmfast_stream* stream, std::int64_t steps,
                                                const void* const* x, double* const* y) noexcept {
  return process_all(stream, steps, x, y);
}

lstmfast_status lstmfast_stream_reset(lstmfast_stream* stream) noexcept {
  return with_stream("stream.reset", stream, [](auto& held) { held.reset(); });
}

lstmfast_status lstmfast_stream_reset_row(lstmfast_stream* stream, std::int64_t row) noexcept {
  const char* const op = "stream.reset";
  return with_stream(op, stream, [&](auto& held) {
    need_index(op, "row", row, held.rows());
    held.reset(row);
  });
}

lstmfast_status lstmfast_stream_get_state_f32(const lstmfast_stream* stream, std::int64_t row,
                                              float* state) noexcept {
  return get_state(stream, row, state);
}

lstmfast_status lstmfast_stream_get_state_f64(const lstmfast_stream* stream, std::int64_t row,
                                              double* state) noexcept {
  return get_state(stream, row, state);
}

lstmfast_status lstmfast_stream_set_state_f32(lstmfast_stream* stream, std::int64_t row,
                                              const float* state) noexcept {
  return set_state(stream, row, state);
}

lstmfast_status lstmfast_stream_set_state_f64(lstmfast_stream* stream, std::int64_t row,
                                              const double* state) noexcept {
  return set_state(stream, row, state);
}

}  // extern "C"

}  // namespace lstmfast::api::c
