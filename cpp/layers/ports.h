// What a pass hands to the layers: arrays of their inputs and outputs, and what is common to all.
// Knows no layers.
#pragma once

#include <cstdint>
#include <vector>

#include "base/arena.h"
#include "base/plain.h"

namespace lstmfast::layers {

// Kinds of random streams, so that one layer can draw several masks.
enum class RandomKind : std::uint32_t { dropout };

// The elements that a port carries: numbers of the model's type, whole numbers (ids), or both. Ids
// come from inputs of a graph.
struct Elements {
  bool values = true;
  index ids = 0;  // the exclusive upper bound of the ids; 0: there are none
};

// A layer has the least or the most inputs, or any number from the least if the most is
// base::kMaxInteger.
struct InputCount {
  index least = 1, most = 1;
  const char* more = "";  // what the further inputs are, for errors
};

// One input of a layer in a pass. Arrays are [batch][shape], contiguous.
template <class T>
struct In {
  const T* values = nullptr;            // null: not connected, or the port carries ids alone
  const std::int32_t* ids = nullptr;    // null: the port carries values alone
  const unsigned char* mask = nullptr;  // [batch][rows], of ids [batch][shape]; null: all are real
  T* gradient = nullptr;                // written by backward; null: not wanted
};

// One output of a layer in a pass. Its memory overlaps no other port's.
template <class T>
struct Out {
  T* values = nullptr;  // null: not wanted (of optional outputs), or the port carries ids alone
  std::int32_t* ids = nullptr;
  const unsigned char* mask = nullptr;  // set by forward
  T* gradient = nullptr;                // read by backward, which may overwrite it; null: zero
};

// The ports of a layer.
template <class T>
using Ins = std::vector<In<T>>;
template <class T>
using Outs = std::vector<Out<T>>;

// One run over a batch, shared by all layers.
template <class T>
struct Pass {
  T* gradients = nullptr;        // flat block of a compiled model, +=; null in inference
  base::Arena* arena = nullptr;  // holds the slots that the layers declared
  index batch = 0;               // at most the declared one
  index steps = 1;  // samples that are the steps of one, in turn: of layers in TimeDistributed
  double* penalty = nullptr;  // += the penalties on outputs; null: not wanted
  bool training = false;
  bool carries = false;  // stateful layers continue from what they carry; else from zeros
  // [batch], 1: a sequence begins, for layers that carry the state of Layer::begin_steps(); null:
  // none does.
  const unsigned char* begins = nullptr;
  // By output; 1: forward leaves out last_activation(), which the loss computes; null: all 0.
  const unsigned char* fused = nullptr;
  std::uint64_t seed = 0;  // of random masks
  std::uint64_t step = 0;  // the optimizer step that the masks belong to

  // What output 0 of a layer that ends with `activation` gets of it in this pass.
  ActivationSpec unless_fused(const ActivationSpec& activation) const {
    return fused != nullptr && fused[0] != 0 ? ActivationSpec{} : activation;
  }
};

}  // namespace lstmfast::layers
