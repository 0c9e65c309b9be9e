#include "model/model.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/denormals.h"
#include "base/text.h"
#include "model/runtime.h"

namespace lstmfast::model {

namespace {

// "lstm.kernel (1000000, 4000000)"
template <class T>
std::string largest_array(const std::vector<Owned<T>>& parameters) {
  index most = -1;
  std::string text;
  for (const Owned<T>& each : parameters) {
    for (const layers::Parameter& parameter : each.parameters->list()) {
      if (parameter.count() <= most) continue;
      most = parameter.count();
      text = each.layer + "." + parameter.name + " " + layers::Shape(parameter.shape).text();
    }
  }
  return text;
}

template <class T>
void allocate(const std::vector<Owned<T>>& parameters) {
  index size = 0;
  for (const Owned<T>& each : parameters) {
    if (each.parameters->values() == nullptr) size += each.parameters->size();
  }
  if (size == 0) return;
  auto memory = std::make_shared<base::Buffer<T>>();
  base::with_memory([&] { memory->resize(size); },
                    [&] {
                      return "[model.weights] out of memory: a block of weights, with " +
                             largest_array(parameters) + ", the largest array,";
                    });
  index next = 0;
  for (const Owned<T>& each : parameters) {
    if (each.parameters->values() != nullptr) continue;
    each.parameters->place(memory, next);
    next += each.parameters->size();
  }
}

}  // namespace

template <class T>
Model<T>::Model(Definition<T> definition)
    : definition_(std::move(definition)),
      draws_(definition_.graph->draws()),
      pool_([this] { return std::make_unique<PassMemory<T>>(*definition_.graph, nullptr); }),
      steppers_([this] { return std::make_unique<Stepper<T>>(definition_.graph); }) {
  require_isa();
  allocate(definition_.parameters);
  busy_ = definition_.busy;
  busy_.insert(busy_.begin(), &own_busy_);
}

template <class T>
void Model<T>::compile(const base::Options& config, Custom<T> custom) {
  for (const Owned<T>& each : definition_.parameters) {
    const Precision precision = each.parameters->precision();
    LF_CHECK(precision == Precision::full,
             "[model.compile] layer " << base::in_quotes(each.layer) << " has kernels in "
                                      << layers::name_of(precision)
                                      << ", for inference alone; expected float32: compile the "
                                         "model that was reduced");
  }
  // Made before the lease and freed after it: both may run code of the caller.
  std::shared_ptr<Training<T>> training = make_training(definition_, config, std::move(custom));
  const base::Busy busy(own_busy_, "model.compile", base::Busy::Kind::brief);
  training = training_.exchange(std::move(training));
}

template <class T>
std::shared_ptr<const PassShapes> Model<T>::shapes(const char* op,
                                                   const Samples<T>& samples) const {
  const layers::Graph<T>& graph = *definition_.graph;
  const std::size_t count = samples.inputs.size();
  LF_CHECK(static_cast<index>(count) == graph.inputs(), "[" << op << "] x has " << count
                                                            << " items; expected " << graph.inputs()
                                                            << ", one for each input");
  std::shared_ptr<const PassShapes> known = shapes_.get();
  bool same = known != nullptr;
  for (std::size_t k = 0; k < count; ++k) {
    const InputArray<T>& input = samples.inputs[k];
    const index i = static_cast<index>(k);
    const bool ids = graph.elements(i).ids > 0 && input.ids == nullptr;
    const bool values = graph.elements(i).values && input.values == nullptr;
    LF_CHECK(!ids && !values, "[" << op << "] " << numbered("x", k, count) << " has no "
                                  << (ids ? "ids" : "values") << "; expected them");
    const layers::Shape& declared = graph.declared_shape(i);
    LF_CHECK(input.shape.fits(declared) && input.shape.count() > 0,
             "[" << op << "] " << numbered("x", k, count) << " has samples of shape "
                 << input.shape.text() << "; expected " << declared.text()
                 << " to match the model's input"
                 << (input.shape.count() > 0 ? "" : ", with at least one step"));
    LF_CHECK(input.mask == nullptr || input.ids == nullptr ||
                 (input.values == nullptr && graph.takes_masked_ids()),
             "[" << op << "] " << numbered("x", k, count) << " has samples of different lengths; "
                 << "expected one length, for its ids go to other layers than Embedding");
    same = same && known->inputs[k] == input.shape;
  }
  if (same) return known;
  auto found = std::make_shared<PassShapes>();
  for (const InputArray<T>& input : samples.inputs) found->inputs.push_back(input.shape);
  found->outputs = graph.output_shapes(found->inputs);
  found->flops = graph.flops(found->inputs);
  shapes_.exchange(found);
  return found;
}

template <class T>
void Model<T>::check_ids(const char* op, const Samples<T>& samples) const {
  for (std::size_t k = 0; k < samples.inputs.size(); ++k) {
    const InputArray<T>& input = samples.inputs[k];
    if (input.ids == nullptr) continue;
    const index limit = definition_.graph->elements(static_cast<index>(k)).ids;
    for (index i = 0; i < samples.count * input.shape.count(); ++i) {
      LF_CHECK(input.ids[i] >= 0 && input.ids[i] < limit,
               "[" << op << "] "
                   << element_text(numbered("x", k, samples.inputs.size()), i,
                                   {1, input.shape.sizes, input.shape.rank})
                   << " is " << input.ids[i] << "; expected ids from 0 to " << limit - 1);
    }
  }
}

template <class T>
void Model<T>::predict(const Samples<T>& samples, index batch_size, const std::vector<T*>& outputs,
                       const Callbacks& callbacks, const std::vector<unsigned char*>& masks) const {
  const char* const op = "model.predict";
  LF_CHECK(batch_size >= 1,
           "[" << op << "] batch_size is " << batch_size << "; expected at least 1");
  const std::shared_ptr<const PassShapes> shapes = this->shapes(op, samples);
  check_ids(op, samples);
  const index step = std::max<index>(1, std::min(batch_size, samples.count));
  std::optional<base::BusyGroup> busy;
  if (is_stateful()) busy.emplace(busy_, op, base::Busy::Kind::nested);
  const CarriedUse<T> carried(definition_.carried, this->batch_size(), op, "x", samples.count,
                              step);
  typename Pool<PassMemory<T>>::Lease memory(pool_);
  memory->plan(shapes->inputs, step, false);
  layers::Pass<T> pass;
  pass.carries = true;
  TickClock clock;
  const index batches = (samples.count + step - 1) / step;
  for (index b = 0; b < batches; ++b) {
    CarriedUndo<T> undo(definition_.carried, memory->carried);
    const index first = b * step;
    pass.batch = std::min(step, samples.count - first);
    draw(pass);
    memory->read(samples, first);
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      memory->out(k) = {outputs[k] + first * shapes->outputs[k].count(), nullptr, nullptr, nullptr};
    }
    {
      const base::FlushDenormals flush;
      memory->forward(pass);
    }
    undo.keep();
    for (std::size_t k = 0; k < masks.size(); ++k) {
      const index rows = shapes->outputs[k].rows();
      if (masks[k] == nullptr) continue;
      const unsigned char* const mask = memory->out(k).mask;  // null: all rows are real
      unsigned char* const to = masks[k] + first * rows;
      mask == nullptr ? std::fill_n(to, pass.batch * rows, static_cast<unsigned char>(1))
                      : std::copy_n(mask, pass.batch * rows, to);
    }
    if (callbacks.tick != nullptr && clock.due() &&
        callbacks.tick(callbacks.context, {0, b + 1, batches, {nullptr, nullptr, 0}})) {
      return;
    }
  }
}

namespace {

// The pairs of layers that two layers of one configuration have at the same paths: f(a, b).
template <class T, class F>
bool all_pairs(const layers::Layer<T>& a, layers::Layer<T>& b, const F& f) {
  if (!f(a, b)) return false;
  for (std::size_t i = 0; i < a.children().size(); ++i) {
    if (!all_pairs(*a.children()[i].layer, *b.children()[i].layer, f)) return false;
  }
  return true;
}

}  // namespace

template <class T>
std::shared_ptr<const Model<T>> Model<T>::frozen(const char* op) const {
  const base::BusyGroup busy(busy_, op, base::Busy::Kind::nested);
  const base::Busy alone(frozen_lock_, op, base::Busy::Kind::brief);
  std::shared_ptr<const Model> latest = frozen_.lock();
  const layers::Layer<T>& own = *definition_.graph;
  const auto same = [](const layers::Layer<T>& a, const layers::Layer<T>& b) {
    return a.parameters().equals(b.parameters());
  };
  if (latest != nullptr && all_pairs<T>(own, *latest->definition_.graph, same)) return latest;
  auto made = std::make_shared<Model>(read_definition<T>(definition_.config()));
  all_pairs<T>(own, *made->definition_.graph,
               [](const layers::Layer<T>& from, layers::Layer<T>& to) {
                 to.parameters().take(from.parameters());
                 return true;
               });
  frozen_ = made;
  return made;
}

template <class T>
void Model<T>::release_memory() {
  const base::BusyGroup busy(busy_, "model.release_memory");
  pool_.clear();
  steppers_.clear();
  if (const std::shared_ptr<Training<T>> training = this->training()) training->memory.clear();
}

template <class T>
void Model<T>::reset_carried() const {
  const base::BusyGroup busy(busy_, "model.reset_states", base::Busy::Kind::nested);
  for (layers::CarriedState<T>* state : definition_.carried) state->reset();
}

template <class T>
void allocate_parameters(layers::Layer<T>& layer) {
  Parts<T> parts;
  parts.add(layer, "");
  allocate(parts.parameters);
}

template <class T>
void call_layer(layers::Layer<T>& layer, layers::Pass<T> pass, const layers::Shapes& inputs,
                const std::vector<layers::In<T>>& in, std::vector<layers::Out<T>>& out,
                std::vector<unsigned char>& mask) {
  const char* const op = "layer.call";
  const layers::Shapes outputs = layer.connect(inputs);
  Parts<T> parts;
  parts.add(layer, "");
  allocate(parts.parameters);
  if (pass.batch == 0) return;
  const bool measures =
      pass.training &&
      std::any_of(parts.parameters.begin(), parts.parameters.end(), [](const Owned<T>& each) {
        return each.parameters->trained_size() < each.parameters->size();
      });
  if (parts.carried.empty() && !measures) parts.busy.clear();
  const base::BusyGroup busy(parts.busy, op, base::Busy::Kind::nested);
  const CarriedUse<T> carried(parts.carried, 0, op, "x", pass.batch, pass.batch);
  CarriedCopy<T> copy;
  CarriedUndo<T> undo(parts.carried, copy);
  const std::unique_ptr<layers::LayerState> state = layer.make_state(nullptr);
  base::Planner planner;
  layer.declare(*state, planner, {inputs, pass.batch, pass.training});
  base::Arena arena(planner);
  pass.arena = &arena;
  pass.carries = true;
  const base::FlushDenormals flush;
  layer.forward(pass, *state, in, out);
  undo.keep();
  if (pass.training) state->update_statistics();
  mask.clear();
  if (out[0].mask != nullptr) {
    mask.assign(out[0].mask, out[0].mask + pass.batch * outputs[0].rows());
  }
}

#define LF_INSTANTIATE(T)                                                                   \
  template class Model<T>;                                                                  \
  template void allocate_parameters(layers::Layer<T>&);                                     \
  template void call_layer(layers::Layer<T>&, layers::Pass<T>, const layers::Shapes&,       \
                           const std::vector<layers::In<T>>&, std::vector<layers::Out<T>>&, \
                           std::vector<unsigned char>&);
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE

}  // namespace lstmfast::model
