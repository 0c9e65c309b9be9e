#include "model/trainer.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/denormals.h"
#include "base/interrupt.h"
#include "base/rng.h"
#include "model/batch_run.h"
#include "model/non_finite.h"
#include "ops/vector.h"

namespace lstmfast::model {
namespace {

template <class T>
bool all_finite(const Definition<T>& definition) {
  const auto& all = definition.parameters;
  return std::all_of(all.begin(), all.end(), [](const Owned<T>& each) {
    return ops::all_finite(each.parameters->size(), each.parameters->values());
  });
}

// One training call: the data, the memory of a step, and the metrics of the running epoch.
template <class T>
class Trainer {
 public:
  template <class Data>
  Trainer(const char* op, Model<T>& model, const Data& data, const FitOptions& options)
      : op_(op),
        model_(model),
        training_(model.training(op)),
        memory_(training_->memory),
        run_(data.run(op, model)),
        options_(options) {
    run_.plan(*memory_, true, options.shuffle);
  }

  EpochMetrics<T>& metrics() { return run_.metrics(); }
  bool stopped() const { return stopped_; }

  // Runs all batches, unless a callback or a non-finite value stops it.
  void epoch(index epoch, const Callbacks& callbacks, TickClock& clock) {
    epoch_ = epoch + 1;
    metrics().reset();
    run_.begin();
    if (options_.shuffle) order_samples(*training_, run_.data().in.count, order_);
    if (training_->epochs < kMaxEpochs) ++training_->epochs;
    for (index b = 0; !stopped_ && run_.has(b); ++b) {
      batch_ = b + 1;
      if (callbacks.batch_begin != nullptr && callbacks.batch_begin(callbacks.context, b)) stop();
      run_.read(b, order_.data());
      step();
      if (callbacks.batch_end != nullptr &&
          callbacks.batch_end(callbacks.context, b, metrics().logs())) {
        stop();
      }
      if (callbacks.tick != nullptr && clock.due() &&
          callbacks.tick(callbacks.context, progress())) {
        stop();
      }
    }
    run_.end();
  }

  Progress progress() { return {epoch_ - 1, batch_, run_.batches(), metrics().logs()}; }

  // One step on all data.
  void whole_step() {
    run_.read(0);
    step();
  }

 private:
  // Forward, loss, backward, clip, optimizer, constraints, statistics, on the next batch. Weights
  // change in the last three alone.
  void step() {
    const ThreadTrial::Step trial(training_->trial,
                                  static_cast<double>(run_.samples() * run_.sample_size()));
    layers::Pass<T> pass;
    pass.gradients = training_->gradients.data();
    pass.training = true;
    pass.seed = training_->seed;
    pass.step = static_cast<std::uint64_t>(training_->optimizer->iterations());
    training_->refresh(op_, model_.definition());
    training_->optimizer->begin_step();
    CarriedUndo<T> undo(model_.definition().carried, memory_->carried);
    const double loss = run_.forward_loss(true, pass) + model_.definition().rules.penalty();
    const bool check = options_.on_nonfinite != OnNonFinite::ignore;
    if (check && !std::isfinite(loss)) return non_finite("the loss", loss);
    if (!update(pass, check)) return non_finite("a gradient", loss);
    undo.keep();
    run_.record(loss);
  }

  // Backward, clip, optimizer, constraints, statistics. Returns false, with weights unchanged, if a
  // gradient is not finite.
  bool update(const layers::Pass<T>& pass, bool check) {
    const base::FlushDenormals flush;
    const WeightRules<T>& rules = model_.definition().rules;
    training_->begin_gradients();
    memory_->backward(pass);
    training_->end_gradients();
    rules.add_gradients(training_->layout, training_->gradients.data());
    if (!training_->finish_gradients(check)) return false;
    const base::Uninterrupted whole;  // weights change from here on
    training_->step();
    rules.constrain();
    memory_->update_statistics();
    return true;
  }

  void stop() { stopped_ = true; }

  LF_COLD void non_finite(const char* what, double loss) {
    if (options_.on_nonfinite == OnNonFinite::raise) {
      std::string where, doubt;
      if (!all_finite(model_.definition())) {
        doubt = ", not finite either; the learning rate may be too large";
      }
      if (epoch_ > 0) {
        where = " in epoch " + std::to_string(epoch_) + " of " + std::to_string(options_.epochs) +
                ", batch " + std::to_string(batch_);
        if (run_.batches() > 0) where += " of " + std::to_string(run_.batches());
      }
      throw NonFinite("[" + std::string(op_) + "] " + what + " is not finite" + where +
                      "; the weights are those before that batch" + doubt + culprits());
    }
    metrics().add_loss(std::isfinite(loss) ? std::nan("") : loss, run_.samples());
    stop();
  }

  // The values of the caller's data that are not finite, as text.
  std::string culprits() const {
    const index first = run_.first(std::max<index>(0, batch_ - 1));
    const index* const order = order_.empty() ? nullptr : order_.data() + first;
    return non_finite_text(run_.data(), run_.output_shapes(), order, first, run_.samples());
  }

  const char* op_;
  Model<T>& model_;
  std::shared_ptr<Training<T>> training_;
  typename Pool<PassMemory<T>>::Lease memory_;
  BatchRun<T> run_;
  const FitOptions options_;
  std::vector<index> order_;
  index epoch_ = 0, batch_ = 0;  // counted from 1; 0: train_on_batch
  bool stopped_ = false;
};

// Data with the memory and metrics of their evaluation.
template <class T>
class Evaluation {
 public:
  template <class Data>
  Evaluation(const char* op, const Model<T>& model, const Data& data, const char* what = "x")
      : model_(model), run_(data.run(op, model, what)), memory_(model.pool()) {
    run_.plan(*memory_, false);
  }

  // Evaluates all data. Returns true if a tick stopped it. Ticks get `progress`, if given, in place
  // of the progress of this evaluation.
  bool run(const Callbacks& callbacks, TickClock& clock, const Progress* progress = nullptr) {
    layers::Pass<T> pass;
    run_.metrics().reset();
    const double penalty = model_.definition().rules.penalty();
    bool stopped = false;
    run_.begin();
    for (index b = 0; !stopped && run_.has(b); ++b) {
      const bool own_hooks = progress == nullptr;  // not those of a fit
      if (own_hooks && callbacks.batch_begin != nullptr) {
        stopped = callbacks.batch_begin(callbacks.context, b);
      }
      run_.read(b);
      model_.draw(pass);
      CarriedUndo<T> undo(model_.definition().carried, memory_->carried);
      const double loss = run_.forward_loss(false, pass) + penalty;
      undo.keep();
      run_.record(loss);
      if (own_hooks && callbacks.batch_end != nullptr) {
        stopped |= callbacks.batch_end(callbacks.context, b, logs());
      }
      if (callbacks.tick == nullptr || !clock.due()) continue;
      const Progress own = {0, b + 1, run_.batches(), logs()};
      stopped |= callbacks.tick(callbacks.context, progress != nullptr ? *progress : own);
    }
    run_.end();
    return stopped;
  }

  Logs logs() { return run_.metrics().logs(); }

 private:
  const Model<T>& model_;
  BatchRun<T> run_;
  typename Pool<PassMemory<T>>::Lease memory_;
};

// After the last step.
template <class T>
void apply_average(const char* op, Model<T>& model) {
  const std::shared_ptr<Training<T>> training = model.training(op);
  training->refresh(op, model.definition());
  const base::Uninterrupted whole;
  training->take_average();
}

Scores scores(const Logs& logs) {
  return {{logs.names, logs.names + logs.count}, {logs.values, logs.values + logs.count}};
}

template <class T, class Data>
void fit_data(Model<T>& model, const Data& train, const Examples<T>* validation,
              const FitOptions& options, const Callbacks& callbacks, History& history) {
  const char* const op = "model.fit";
  const base::BusyGroup busy(model.busy(), op);
  Trainer<T> trainer(op, model, train, options);
  std::optional<Evaluation<T>> held_out;
  if (validation != nullptr) {
    const char* const part = "the validation part";
    const Arrays<T> data{*validation, options.validation_batch_size};
    if (options.validate) {
      held_out.emplace(op, model, data, part);
    } else {
      const BatchRun<T> checked = data.run(op, model, part);
    }
  }

  std::vector<std::string> names = trainer.metrics().names();
  for (std::size_t i = 0, logs = names.size(); held_out && i < logs; ++i) {
    names.push_back("val_" + names[i]);
  }
  history = {std::move(names), {}};
  if (callbacks.train_begin != nullptr && callbacks.train_begin(callbacks.context)) return;
  TickClock clock;
  for (index e = options.initial_epoch; e < options.epochs; ++e) {
    if (callbacks.epoch_begin != nullptr && callbacks.epoch_begin(callbacks.context, e)) break;
    trainer.epoch(e, callbacks, clock);
    std::vector<double> values = scores(trainer.metrics().logs()).values;
    bool stop = trainer.stopped();
    if (held_out) {
      const Progress progress = trainer.progress();
      stop |= held_out->run(callbacks, clock, &progress);
      const Logs more = held_out->logs();
      values.insert(values.end(), more.values, more.values + more.count);
    }
    history.epochs.push_back(std::move(values));
    const Logs logs = {history.names.data(), history.epochs.back().data(),
                       static_cast<index>(history.names.size())};
    if (callbacks.epoch_end != nullptr && callbacks.epoch_end(callbacks.context, e, logs))
      stop = true;
    if (stop) break;
  }
  apply_average(op, model);
}

template <class T, class Data>
Scores evaluate_data(const Model<T>& model, const Data& data, const Callbacks& callbacks,
                     const char* op) {
  std::optional<base::BusyGroup> busy;
  if (model.is_stateful()) busy.emplace(model.busy(), op, base::Busy::Kind::nested);
  Evaluation<T> all(op, model, data);
  TickClock clock;
  all.run(callbacks, clock);
  return scores(all.logs());
}

}  // namespace

// Starts from the sorted order, so that the result depends on seed and epoch alone.
template <class T>
void order_samples(const Training<T>& training, index count, std::vector<index>& order) {
  order.resize(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), index{0});
  base::shuffle(order.data(), count, training.seed, training.epochs);
}

template <class T>
void fit(Model<T>& model, const Examples<T>& train, const Examples<T>* validation,
         const FitOptions& options, const Callbacks& callbacks, History& history) {
  const Arrays<T> data{train, options.batch_size};
  fit_data(model, data, validation, options, callbacks, history);
}

template <class T>
void fit(Model<T>& model, const BatchSource<T>& train, const Examples<T>* validation,
         const FitOptions& options, const Callbacks& callbacks, History& history) {
  FitOptions own = options;
  own.shuffle = false;
  fit_data(model, Batches<T>{train}, validation, own, callbacks, history);
}

template <class T>
Scores evaluate(const Model<T>& model, const Examples<T>& examples, index batch_size,
                const Callbacks& callbacks, const char* op) {
  return evaluate_data(model, Arrays<T>{examples, batch_size}, callbacks, op);
}

template <class T>
Scores evaluate(const Model<T>& model, const BatchSource<T>& source, const Callbacks& callbacks,
                const char* op) {
  return evaluate_data(model, Batches<T>{source}, callbacks, op);
}

template <class T>
void take_average(Model<T>& model) {
  const char* const op = "model.take_average";
  const base::BusyGroup busy(model.busy(), op, base::Busy::Kind::nested);
  apply_average(op, model);
}

template <class T>
Scores train_on_batch(Model<T>& model, const Examples<T>& batch) {
  const char* const op = "model.train_on_batch";
  const base::BusyGroup busy(model.busy(), op);
  FitOptions options;
  options.batch_size = std::max<index>(1, batch.in.count);
  options.shuffle = false;
  Trainer<T> trainer(op, model, Arrays<T>{batch, options.batch_size}, options);
  trainer.whole_step();
  return scores(trainer.metrics().logs());
}

#define LF_INSTANTIATE(T)                                                                          \
  template void order_samples(const Training<T>&, index, std::vector<index>&);                     \
  template void fit(Model<T>&, const Examples<T>&, const Examples<T>*, const FitOptions&,          \
                    const Callbacks&, History&);                                                   \
  template void fit(Model<T>&, const BatchSource<T>&, const Examples<T>*, const FitOptions&,       \
                    const Callbacks&, History&);                                                   \
  template Scores evaluate(const Model<T>&, const Examples<T>&, index, const Callbacks&,           \
                           const char*);                                                           \
  template Scores evaluate(const Model<T>&, const BatchSource<T>&, const Callbacks&, const char*); \
  template void take_average(Model<T>&);                                                           \
  template Scores train_on_batch(Model<T>&, const Examples<T>&);
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE

}  // namespace lstmfast::model
