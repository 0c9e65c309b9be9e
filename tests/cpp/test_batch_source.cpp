// Training and evaluation on batches that come one by one.
#include <doctest/doctest.h>

#include <vector>

#include "model_problem.h"

namespace lstmfast::model {
namespace {

using test::compile_config;
using test::make_model;
using test::message_of;
using test::model_config;
using test::Problem;
using test::weights;

// The batches of arrays, as a source.
template <class T>
struct Parts {
  std::vector<Examples<T>> batches;
  std::size_t at = 0;
  int begun = 0, ended = 0;
  BatchSource<T> source;

  Parts(const Examples<T>& all, index size) {
    for (index first = 0; first < all.in.count; first += size) {
      Examples<T>& batch = batches.emplace_back(all);
      batch.in.count = std::min(size, all.in.count - first);
      for (auto& input : batch.in.inputs) {
        input.values = element(input.values, first * input.shape.count());
      }
      for (auto& target : batch.targets) {
        target.y += first * target.first(1).count();
        target.shape[0] = batch.in.count;
      }
    }
    source.context = this;
    source.batches = static_cast<index>(batches.size());
    source.first = [](void* context) -> const Examples<T>& { return of(context).batches[0]; };
    source.begin = [](void* context) {
      of(context).at = 0;
      ++of(context).begun;
    };
    source.next = [](void* context) -> const Examples<T>* {
      Parts& parts = of(context);
      return parts.at == parts.batches.size() ? nullptr : &parts.batches[parts.at++];
    };
    source.end = [](void* context) { ++of(context).ended; };
  }
  static Parts& of(void* context) { return *static_cast<Parts*>(context); }
};

constexpr const Examples<float>* kNone = nullptr;

FitOptions options(index batch_size) {
  FitOptions out;
  out.batch_size = batch_size;
  out.epochs = 3;
  out.shuffle = false;
  return out;
}

TEST_CASE("batches train, and are scored, as arrays are") {
  const Problem<float> problem(10, 6, 3);
  for (const index size : {1, 4, 10}) {
    CAPTURE(size);
    std::vector<std::vector<float>> found;
    std::vector<double> losses, scores;
    for (const bool streams : {false, true}) {
      auto model = make_model<float>(model_config("float32", "softmax", 3));
      model->compile(compile_config("categorical_crossentropy"));
      Parts<float> parts(problem.examples, size);
      History history;
      if (streams) {
        fit(*model, parts.source, kNone, options(size), {}, history);
        CHECK(parts.begun == 3);
        CHECK(parts.ended == 3);
      } else {
        fit(*model, problem.examples, kNone, options(size), {}, history);
      }
      found.push_back(weights(*model));
      losses.push_back(history.epochs.back()[0]);
      scores.push_back(streams ? evaluate(*model, parts.source).values[0]
                               : evaluate(*model, problem.examples, size).values[0]);
    }
    CHECK(found[0] == found[1]);
    CHECK(losses[0] == losses[1]);
    CHECK(scores[0] == scores[1]);
  }
}

TEST_CASE("a wrong batch ends the fit with an error") {
  const Problem<float> problem(10, 6, 3);
  auto model = make_model<float>(model_config("float32", "softmax", 3));
  model->compile(compile_config("categorical_crossentropy"));
  Parts<float> parts(problem.examples, 5);
  parts.batches[1].in.inputs[0].values = nullptr;
  History history;
  const auto run = [&] { fit(*model, parts.source, kNone, options(5), {}, history); };
  CHECK(message_of(run) == "[model.fit] x has no values; expected them");
  CHECK(history.epochs.empty());
  CHECK(parts.begun == 1);
  parts.batches[0].in.count = 0;
  CHECK(message_of(run) == "[model.fit] x has no samples; expected at least one");
  CHECK(parts.begun == 1);  // refused before it began
}

}  // namespace
}  // namespace lstmfast::model
