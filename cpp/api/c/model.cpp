// The C interface: models.
#include <algorithm>
#include <memory>
#include <vector>

#include "api/c/handles.h"
#include "model/model_file.h"
#include "model/runtime.h"

namespace lstmfast::api::c {
namespace {

constexpr const char* kLoad = "load";
constexpr const char* kPredict = "model.predict";
constexpr index kBatch = 32;  // samples that predict runs side by side

// where: the arguments of a files::Source.
template <class... Where>
lstmfast_status load(lstmfast_model** out, Where... where) noexcept {
  const lstmfast_status status = guarded([&] {
    need(kLoad, "model", out);
    model::require_isa();
  });
  if (status != LSTMFAST_OK) return status;
  return guarded(
      [&] {
        const model::ModelFile file(files::Source(where...));
        with_dtype(kLoad, file.dtype(), [&](auto zero) {
          const std::shared_ptr<model::Model<decltype(zero)>> model =
              file.load<decltype(zero)>(false);
          *out = new lstmfast_model{AnyModel(model)};
        });
      },
      LSTMFAST_INVALID_FILE);
}

// The shapes of the inputs' samples; steps: null, or for each input what stands for kAnySize.
template <class T>
layers::Shapes input_shapes(const char* op, const layers::Graph<T>& graph,
                            const std::int64_t* steps) {
  layers::Shapes shapes;
  for (index k = 0; k < graph.inputs(); ++k) {
    layers::Shape shape = graph.declared_shape(k);
    LF_CHECK(steps != nullptr || shape.known(),
             "[" << op << "] steps is null; expected a number for each input, for input " << k
                 << " has shape " << shape.text());
    for (int axis = 0; axis < shape.rank; ++axis) {
      if (shape.sizes[axis] != layers::kAnySize) continue;
      LF_CHECK(steps[k] >= 1,
               "[" << op << "] steps[" << k << "] is " << steps[k] << "; expected at least 1");
      shape.sizes[axis] = steps[k];
    }
    shapes.push_back(shape);
  }
  return shapes;
}

template <class T>
void predict(const model::Model<T>& model, index count, const std::int64_t* steps,
             const void* const* x, T* const* y) {
  const layers::Graph<T>& graph = *model.definition().graph;
  LF_CHECK(count >= 1, "[" << kPredict << "] samples is " << count << "; expected at least 1");
  need_all(kPredict, "x", x, graph.inputs());
  need_all(kPredict, "y", y, graph.outputs());
  const layers::Shapes shapes = input_shapes(kPredict, graph, steps);
  model::Samples<T> samples;
  samples.count = count;
  std::vector<std::vector<T>> made;  // of inputs that take ids and values: the ids
  for (index k = 0; k < graph.inputs(); ++k) {
    const layers::Shape& shape = shapes[static_cast<std::size_t>(k)];
    const layers::Elements elements = graph.elements(k);
    model::InputArray<T>& input = samples.inputs.emplace_back();
    input.shape = shape;
    if (elements.ids > 0) {
      input.ids = static_cast<const std::int32_t*>(x[k]);
      if (elements.values) {
        made.emplace_back(input.ids, input.ids + count * shape.count());
        input.values = made.back().data();
      }
    } else {
      input.values = static_cast<const T*>(x[k]);
    }
  }
  const index carried = model.carried_rows();
  model.predict(samples, carried > 0 ? carried : std::min(count, kBatch), {y, y + graph.outputs()});
}

template <class T>
lstmfast_status predict(const lstmfast_model* model, std::int64_t samples,
                        const std::int64_t* steps, const void* const* x, T* const* y) noexcept {
  return guarded([&] {
    need(kPredict, "model", model);
    with_type<T>(kPredict, model->model,
                 [&](auto& held) { predict<T>(held, samples, steps, x, y); });
  });
}

// f(graph), to write `port`.
template <class F>
lstmfast_status with_graph(const char* op, const lstmfast_model* model, lstmfast_port* port,
                           F f) noexcept {
  return guarded([&] {
    need(op, "model", model);
    need(op, "port", port);
    model->model.visit([&](auto& held) { f(*held.definition().graph); });
  });
}

}  // namespace

extern "C" {

lstmfast_status lstmfast_model_load(const char* path, lstmfast_model** model) noexcept {
  if (path == nullptr) return fail(LSTMFAST_INVALID_ARGUMENT, "[load] path is null");
  return load(model, path);
}

lstmfast_status lstmfast_model_load_bytes(const void* bytes, std::size_t size,
                                          lstmfast_model** model) noexcept {
  if (bytes == nullptr) return fail(LSTMFAST_INVALID_ARGUMENT, "[load] bytes is null");
  return load(model, bytes, size);
}

void lstmfast_model_free(lstmfast_model* model) noexcept { delete model; }

lstmfast_dtype lstmfast_model_dtype(const lstmfast_model* model) noexcept {
  return model == nullptr ? LSTMFAST_FLOAT32 : dtype_of(model->model);
}

std::int64_t lstmfast_model_inputs(const lstmfast_model* model) noexcept {
  return number_of(model, [](auto& held) { return held.definition().graph->inputs(); });
}

std::int64_t lstmfast_model_outputs(const lstmfast_model* model) noexcept {
  return number_of(model, [](auto& held) { return held.definition().graph->outputs(); });
}

std::int64_t lstmfast_model_memory(const lstmfast_model* model) noexcept {
  return number_of(model, [](auto& held) { return static_cast<index>(held.definition().bytes()); });
}

lstmfast_status lstmfast_model_input(const lstmfast_model* model, std::int64_t input,
                                     lstmfast_port* port) noexcept {
  const char* const op = "model.input";
  return with_graph(op, model, port, [&](auto& graph) {
    need_index(op, "input", input, graph.inputs());
    write_port(graph.declared_shape(input), graph.elements(input).ids, false, port);
  });
}

lstmfast_status lstmfast_model_output(const lstmfast_model* model, const std::int64_t* steps,
                                      std::int64_t output, lstmfast_port* port) noexcept {
  const char* const op = "model.output";
  return with_graph(op, model, port, [&](auto& graph) {
    need_index(op, "output", output, graph.outputs());
    const layers::Shape shape = steps == nullptr
                                    ? graph.output_shape(output)
                                    : graph.output_shapes(input_shapes(op, graph, steps))[output];
    write_port(shape, 0, false, port);
  });
}

lstmfast_status lstmfast_model_predict_f32(const lstmfast_model* model, std::int64_t samples,
                                           const std::int64_t* steps, const void* const* x,
                                           float* const* y) noexcept {
  return predict(model, samples, steps, x, y);
}

lstmfast_status lstmfast_model_predict_f64(const lstmfast_model* model, std::int64_t samples,
                                           const std::int64_t* steps, const void* const* x,
                                           double* const* y) noexcept {
  return predict(model, samples, steps, x, y);
}

}  // extern "C"

}  // namespace lstmfast::api::c
