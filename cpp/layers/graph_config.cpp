// Graphs as configurations, and back.
#include <algorithm>
#include <sstream>

#include "base/check.h"
#include "layers/graph.h"
#include "layers/list.h"

namespace lstmfast::layers {
namespace {

constexpr index kMaxLayers = 1000, kMaxNodes = 10000;

std::string numbered(const char* name, index i) { return name + ("." + std::to_string(i)); }

Shape read_shape(const base::OptionReader& config, const char* key) {
  static_assert(base::kAnyExtent == kAnySize);
  const base::Value value = config.read(base::extents(key, base::kRequired));
  const base::Extents& sizes = value.extents();
  if (sizes.empty() || sizes.size() > Shape::kMaxRank) config.fail(key, "1 to 5 extents");
  return Shape(sizes);
}

index read_count(const base::OptionReader& config, const char* key, index least, index most) {
  return config.read(base::integer(key, base::kRequired, least, most)).integer();
}

// "0.0,2.1"
std::vector<Place> read_places(const base::OptionReader& config, const char* key) {
  std::vector<Place> out;
  std::istringstream in(config.read(base::text(key, base::kRequired)).text());
  char dot = 0, comma = ',';
  Place place;
  while (comma == ',' && in >> place.first >> dot >> place.second && dot == '.') {
    out.push_back(place);
    if (!(in >> comma)) return out;
  }
  config.fail(key, "values as NODE.OUTPUT, with commas between them");
}

}  // namespace

template <class T>
Graph<T>::Graph(const base::OptionReader& config, const Children& children) {
  const bool in_a_row = !config.has("nodes");
  std::vector<std::shared_ptr<Layer<T>>> layers;
  const index count = read_count(config, "layers", in_a_row ? 1 : 0, kMaxLayers);
  for (index i = 0; i < count; ++i) {
    layers.push_back(this->make_child(config, numbered("layers", i), children));
  }
  if (in_a_row) {
    add_input(read_shape(config, "input_shape"), "");
    for (index i = 0; i < count; ++i) add_node(layers[i], {{i, 0}});
    set_outputs({{count, 0}});
  } else {
    const index inputs = read_count(config, "inputs", 1, kMaxNodes);
    for (index k = 0; k < inputs; ++k) {
      const base::OptionReader part = config.part(numbered("inputs", k));
      add_input(read_shape(part, "shape"), part.read(base::text("name", "")).text());
    }
    const index nodes = read_count(config, "nodes", 0, kMaxNodes);
    // the paths of parameters use this order
    set_layers(layers);
    std::vector<bool> used(layers.size());
    for (index n = 0; n < nodes; ++n) {
      const base::OptionReader part = config.part(numbered("nodes", n));
      const index layer = read_count(part, "layer", 0, count - 1);
      const base::Value training = part.read(base::flag("training", base::none()));
      add_node(layers[layer], read_places(part, "inputs"),
               training.none() ? std::nullopt : std::optional(training.flag()));
      used[layer] = true;
    }
    set_outputs(read_places(config, "outputs"));
    if (std::find(used.begin(), used.end(), false) != used.end())
      config.fail("layers", "each in a node at least");
  }
  describe(in_a_row, config.read(base::integer("batch_size", 0, 0)).integer());
}

template <class T>
Graph<T>::Graph(const base::Values& options, const Children& children)
    : Graph(options.given(), children) {
  base::Options config = this->config();
  config["name"] = options.given().read(base::text("name", "graph"));
  const base::Value note = options.given().read(base::text("note", ""));
  if (!note.text().empty()) config["note"] = note;
  this->set_config(std::move(config));
}

template <class T>
void Graph<T>::describe(bool in_a_row, index batch_size) {
  in_a_row_ = in_a_row;
  batch_size_ = batch_size;
  base::Options out{{"kind", "graph"}, {"name", this->name()}};
  out["layers"] = this->children_.size();
  if (batch_size_ > 0) out["batch_size"] = batch_size_;
  const auto shape_of = [&](index k) {
    return base::Extents(shapes_[k].begin(), shapes_[k].end());
  };
  if (in_a_row) {
    out["input_shape"] = shape_of(0);
    return this->set_config(std::move(out));
  }
  out["inputs"] = inputs();
  for (index k = 0; k < inputs(); ++k) {
    out[numbered("inputs", k) + ".shape"] = shape_of(k);
    out[numbered("inputs", k) + ".name"] = input_name(k);
  }
  const auto text = [&](const std::vector<index>& values) {
    std::string places;
    for (const index value : values) {
      const auto [node, output] = place_of(value);
      if (!places.empty()) places += ",";
      places += std::to_string(node) + "." + std::to_string(output);
    }
    return places;
  };
  out["nodes"] = static_cast<index>(nodes_.size()) - inputs();
  for (index n = inputs(); n < static_cast<index>(nodes_.size()); ++n) {
    const std::string key = numbered("nodes", n - inputs());
    out[key + ".layer"] = nodes_[n].child;
    out[key + ".inputs"] = text(nodes_[n].inputs);
    if (nodes_[n].training) out[key + ".training"] = *nodes_[n].training;
  }
  out["outputs"] = text(outputs_);
  this->set_config(std::move(out));
}

Component graph() { return Family::of<Graph>(); }

template class Graph<float>;
template class Graph<double>;

}  // namespace lstmfast::layers
