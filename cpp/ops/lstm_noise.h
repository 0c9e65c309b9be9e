// The random masks of a training call. Knows how their random numbers are named, not what the masks
// multiply.
//
// Row and time name a mask's row; masks for the whole sequence have time 0.
#pragma once

#include "ops/lstm_workspace.h"
#include "ops/random_mask.h"

namespace lstmfast::ops {

// What a stream decides; 0 is the dropout of layers.
enum class NoiseKind : std::uint32_t { none, input, recurrent, weight, zoneout_h, zoneout_c };

inline base::RandomStream stream_of(const LstmNoise& noise, NoiseKind kind) {
  return {noise.seed, noise.stream, static_cast<std::uint32_t>(kind), noise.step};
}

template <class T>
struct LstmMasks {
  const LstmShape<T>& shape;
  const LstmCall<T>& call;
  LstmWorkspace<T>& w;

  // Once a call: the masks of rows and of weights, and the masked weights.
  void draw(const T* block) const;
  // For each chunk of steps: masks by step, and x times its mask.
  void draw_chunk() const;
  // dblock += gradients of the panels, from dropped_gradient, that for the masked weights.
  void add_dropped_gradient(T* dblock) const;

 private:
  using Kind = NoiseKind;

  // One row of the mask for each slot; for each cache row, named by the time of its step.
  void by_slot(Kind kind, const MaskValues<T>& values, index units, index stride, T* mask) const;
  void by_step(Kind kind, const MaskValues<T>& values, index units, index stride, T* mask) const;
};

}  // namespace lstmfast::ops
