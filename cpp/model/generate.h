// Continues sequences with what a model predicts: each step's output, or what is drawn from it, is
// the next step's input. Knows no language.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/no_copy.h"
#include "base/options.h"
#include "model/model.h"
#include "model/sampling.h"

namespace lstmfast::model {

struct GenerateOptions {
  index length = 0;  // steps
  Sampling sampling;
  std::uint64_t seed = 0;
  std::optional<bool> from_logits;  // whether the scores of ids are logits; none: the model tells
};

// Throws std::invalid_argument that names the wrong option.
GenerateOptions read_generate_options(const base::Options& given);

// The steps of all prompts, one prompt after the other; either ids or values.
template <class T>
struct Prompts {
  const std::int32_t* ids = nullptr;  // [all steps]; they become ones of a row if the model has no
                                      // ids for input
  const T* values = nullptr;          // [all steps][features]
  index features = 0;
  std::vector<index> lengths;  // by prompt
};

// One call. A model with any number of steps, or with stateful layers, runs step by step; one with
// a fixed number of steps, on the last so many steps each time. What a row draws depends on the
// seed, its number and its prompt alone.
template <class T>
class Generator : base::NoCopy {
 public:
  // The arguments must outlive this object. Throws std::invalid_argument where model and prompts do
  // not fit together.
  Generator(const Model<T>& model, const GenerateOptions& options, const Prompts<T>& prompts);

  bool makes_ids() const { return ids_; }
  index width() const { return width_; }  // values of a step
  double flops() const { return flops_ * static_cast<double>(passes_); }

  // Writes ids [prompts][length], or values [prompts][length][width()].
  void run(std::int32_t* ids, T* values);

 private:
  // How the next input is made of one output.
  struct Head {
    enum class Kind { ids, mixture, values } kind;
    ScoreKind scores;    // of ids
    index columns;       // of the output's last row
    index skipped;       // values of the output before that row
    index components;    // of a mixture
    index first, width;  // part of the next input
  };

  Head head_of(index output) const;
  void check_random() const;
  void write(index row, index position, index slot);
  bool draw(index row, index step);  // false: the scores are not finite

  const Model<T>& model_;
  const layers::Graph<T>& graph_;
  const GenerateOptions& options_;
  const Prompts<T>& prompts_;
  const index rows_;
  index window_ = 0;  // steps of each pass; 0: step by step
  std::optional<typename Pool<Stepper<T>>::Lease> steps_;
  std::optional<typename Pool<PassMemory<T>>::Lease> windows_;
  Stepper<T>* stepper_ = nullptr;    // in steps_; null: the passes are of windows
  PassMemory<T>* memory_ = nullptr;  // in windows_
  std::vector<Head> heads_;
  std::vector<const T*> outputs_;  // [rows][...]
  std::vector<index> sizes_;       // of the outputs of one row
  bool ids_ = false;               // what is made
  index width_ = 0, passes_ = 0, most_ = 0;
  double flops_ = 0;           // of a pass
  std::vector<index> starts_;  // of the prompts among all steps
  std::vector<T> next_values_;
  std::vector<std::int32_t> next_ids_;
  std::vector<double> weights_;
  std::vector<std::int32_t> order_;
  std::int32_t* made_ids_ = nullptr;
  T* made_values_ = nullptr;
};

}  // namespace lstmfast::model
