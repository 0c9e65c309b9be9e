#include "model/trainer.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/denormals.h"
#include "base/interrupt.h"
#include "base/rng.h"
#include "model/batch_run.h"
#include "model/history.h"
#include "model/non_finite.h"
#include "ops/vector.h"

namespace lstmfast::model {
namespace {

// One training call: the data, what a step needs, and the numbers of the running epoch.
template <class T>
class Trainer {
 public:
  Trainer(const char* op, Model<T>& model, const Examples<T>& data, index batch_size,
          OnNonFinite on_nonfinite, bool shuffle)
      : op_(op),
        model_(model),
        training_(model.training(op)),
        change_(training_->memory),
        memory_(*change_),
        run_(op, model, data, batch_size),
        meter_(run_.make_meter()),
        on_nonfinite_(on_nonfinite) {
    memory_.plan(run_.extent(true, shuffle));
  }

  const BatchRun<T>& run() const { return run_; }
  EpochMetrics<T>& meter() { return meter_; }
  bool stopped() const { return stopped_; }

  // All batches, until something says stop.
  void epoch(index epoch, index epochs, bool shuffle, const Callbacks& callbacks,
             TickClock& clock) {
    epoch_ = epoch + 1;
    epochs_ = epochs;
    meter_.reset();
    if (shuffle) shuffle_samples();
    if (training_->epochs < kMaxEpochs) ++training_->epochs;
    for (index b = 0; b < run_.batches() && !stopped_; ++b) {
      batch_ = b + 1;
      if (callbacks.batch_begin != nullptr && callbacks.batch_begin(callbacks.context, b)) stop();
      step(shuffle ? gathered(b) : run_.at(b));
      if (callbacks.batch_end != nullptr &&
          callbacks.batch_end(callbacks.context, b, meter_.logs())) {
        stop();
      }
      if (callbacks.tick != nullptr && clock.due() &&
          callbacks.tick(callbacks.context, progress())) {
        stop();
      }
    }
  }

  Progress progress() { return {epoch_ - 1, batch_, run_.batches(), meter_.logs()}; }

  // Forward, loss, backward, clip, optimizer. Weights change in the last of these alone.
  void step(const typename BatchRun<T>::Batch& batch) {
    const ThreadTrial::Step trial(training_->trial,
                                  static_cast<double>(batch.samples * run_.sample_size()));
    layers::Pass<T> pass;
    pass.values = model_.values();
    pass.gradients = training_->gradients.data();
    pass.training = true;
    pass.seed = training_->seed;
    pass.step = static_cast<std::uint64_t>(training_->optimizer->iterations());
    typename Carried<T>::Undo undo(model_.carried(), carried_);
    const double loss = run_.forward_loss(batch, true, pass, memory_) +
                        model_.definition().rules.penalty(model_.values());
    const bool check = on_nonfinite_ != OnNonFinite::ignore;
    if (check && !std::isfinite(loss)) return non_finite("the loss", loss, batch.samples);
    if (!update(batch, pass, check)) return non_finite("a gradient", loss, batch.samples);
    undo.keep();
    meter_.add(loss, batch.samples, run_.metric_batch(batch, memory_));
  }

 private:
  // Backward, clip, optimizer, constraints; false, and nothing changed, where a gradient is not
  // finite.
  bool update(const typename BatchRun<T>::Batch& batch, const layers::Pass<T>& pass, bool check) {
    const base::FlushDenormals flush;
    const WeightRules<T>& rules = model_.definition().rules;
    training_->gradients.zero();
    memory_.backward(pass, batch.x, memory_.prediction(), memory_.gradient());
    T* const gradients = training_->gradients.data();
    rules.add_gradients(model_.values(), gradients);
    const index count = training_->gradients.size();
    if (!check) {
      training_->clip.apply_unchecked(count, gradients, training_->runs);
    } else if (!training_->clip.apply(count, gradients, training_->runs)) {
      return false;
    }
    const base::Uninterrupted whole;  // weights change
    training_->optimizer->step(count, model_.values(), gradients, training_->slot_blocks.data());
    rules.constrain(model_.values());
    return true;
  }

  void stop() { stopped_ = true; }

  // Always from the same start, so that the order depends on its names alone.
  void shuffle_samples() {
    order_.resize(static_cast<std::size_t>(run_.data().in.count));
    std::iota(order_.begin(), order_.end(), index{0});
    base::shuffle(order_.data(), run_.data().in.count, training_->seed, training_->epochs);
  }

  typename BatchRun<T>::Batch gathered(index b) {
    const Examples<T>& data = run_.data();
    const index samples = run_.samples(b), x = run_.sample_size(), y = run_.target_size();
    const index* const rows = order_.data() + b * run_.samples(0);
    ops::gather_rows(samples, x, rows, data.in.x, x, memory_.x(), x);
    ops::gather_rows(samples, y, rows, data.y, y, memory_.target(), y);
    if (data.weights == nullptr) return {memory_.x(), memory_.target(), samples, nullptr};
    ops::gather_rows(samples, data.weights_each, rows, data.weights, data.weights_each,
                     memory_.weights(), data.weights_each);
    return {memory_.x(), memory_.target(), samples, memory_.weights()};
  }

  LF_COLD void non_finite(const char* what, double loss, index samples) {
    if (on_nonfinite_ == OnNonFinite::raise) {
      std::string where, doubt;
      if (!ops::all_finite(model_.size(), model_.values())) {
        doubt = ", not finite either; the learning rate may be too large";
      }
      if (epochs_ > 0) {
        where = " in epoch " + std::to_string(epoch_) + " of " + std::to_string(epochs_) +
                ", batch " + std::to_string(batch_) + " of " + std::to_string(run_.batches());
      }
      throw NonFinite("[" + std::string(op_) + "] " + what + " is not finite" + where +
                      "; the weights are those before that batch" + doubt + culprits(samples));
    }
    meter_.add_loss(std::isfinite(loss) ? std::nan("") : loss, samples);
    stop();
  }

  // In the caller's data, where it is to be mended.
  std::string culprits(index samples) const {
    const index first = std::max<index>(0, batch_ - 1) * run_.samples(0);
    const index* const order = order_.empty() ? nullptr : order_.data() + first;
    return non_finite_text(run_.data(), run_.rows(), order, first, samples);
  }

  const char* op_;
  Model<T>& model_;
  std::shared_ptr<Training<T>> training_;
  typename KeptMemory<PassMemory<T>>::Change change_;
  PassMemory<T>& memory_;
  BatchRun<T> run_;
  EpochMetrics<T> meter_;
  OnNonFinite on_nonfinite_;
  std::vector<index> order_;
  std::vector<T> carried_;                    // room for what the running step may undo
  index epoch_ = 0, epochs_ = 0, batch_ = 0;  // counted from 1; no epochs: a batch of its own
  bool stopped_ = false;
};

// Validation data with the memory and numbers that all epochs share.
template <class T>
struct Validation {
  typename Pool<PassMemory<T>>::Lease memory;
  BatchRun<T> run;
  EpochMetrics<T> meter;

  Validation(Model<T>& model, const Examples<T>& data, const FitOptions& options)
      : memory(model.pool()), run(checked(model, data, options)), meter(run.make_meter()) {
    memory->plan(run.extent(false));
  }

  static BatchRun<T> checked(Model<T>& model, const Examples<T>& data, const FitOptions& options) {
    return {"model.fit", model, data, options.validation_batch_size, "the validation part"};
  }
};

Scores scores(const Logs& logs) {
  return {{logs.names, logs.names + logs.count}, {logs.values, logs.values + logs.count}};
}

}  // namespace

template <class T>
void fit(Model<T>& model, const Examples<T>& train, const Examples<T>* validation,
         const FitOptions& options, const Callbacks& callbacks, History& history) {
  const char* const op = "model.fit";
  const base::Busy busy(model.busy(), op);
  Trainer<T> trainer(op, model, train, options.batch_size, options.on_nonfinite, options.shuffle);
  std::optional<Validation<T>> held_out;
  if (validation != nullptr && options.validate) {
    held_out.emplace(model, *validation, options);
  } else if (validation != nullptr) {
    Validation<T>::checked(model, *validation, options);
  }

  HistoryWriter book(history, trainer.meter().names(), held_out.has_value());
  if (callbacks.train_begin != nullptr && callbacks.train_begin(callbacks.context)) return;
  TickClock clock;
  for (index e = options.initial_epoch; e < options.epochs; ++e) {
    if (callbacks.epoch_begin != nullptr && callbacks.epoch_begin(callbacks.context, e)) break;
    trainer.epoch(e, options.epochs, options.shuffle, callbacks, clock);
    book.begin();
    book.add(trainer.meter().logs());
    bool stop = trainer.stopped();
    if (held_out) {
      const Progress progress = trainer.progress();
      stop |=
          held_out->run.evaluate(*held_out->memory, held_out->meter, callbacks, clock, &progress);
      book.add(held_out->meter.logs());
    }
    const Logs logs = book.end(e);
    if (callbacks.epoch_end != nullptr && callbacks.epoch_end(callbacks.context, e, logs))
      stop = true;
    if (stop) break;
  }
}

template <class T>
Scores evaluate(const Model<T>& model, const Examples<T>& examples, index batch_size,
                const Callbacks& callbacks, const char* op) {
  std::optional<base::Busy> busy;
  if (model.carried().any()) busy.emplace(model.busy(), op, base::Busy::Kind::nested);
  const BatchRun<T> run(op, model, examples, batch_size);
  typename Pool<PassMemory<T>>::Lease memory(model.pool());
  memory->plan(run.extent(false));
  EpochMetrics<T> meter = run.make_meter();
  TickClock clock;
  run.evaluate(*memory, meter, callbacks, clock, nullptr);
  return scores(meter.logs());
}

template <class T>
Scores train_on_batch(Model<T>& model, const Examples<T>& batch, OnNonFinite on_nonfinite) {
  const char* const op = "model.train_on_batch";
  const base::Busy busy(model.busy(), op);
  Trainer<T> trainer(op, model, batch, std::max<index>(1, batch.in.count), on_nonfinite, false);
  trainer.step(trainer.run().at(0));
  return scores(trainer.meter().logs());
}

template <class T>
double forward_flops(const Model<T>& model, const Samples<T>& samples) {
  return model.definition().chain.flops(samples.shape) * static_cast<double>(samples.count);
}

template <class T>
double fit_flops(const Model<T>& model, const Examples<T>& train, const Examples<T>* validation,
                 index epochs) {
  const double held_out = validation != nullptr ? forward_flops(model, validation->in) : 0;
  return static_cast<double>(std::max<index>(0, epochs)) *
         (3 * forward_flops(model, train.in) + held_out);
}

template void fit(Model<float>&, const Examples<float>&, const Examples<float>*, const FitOptions&,
                  const Callbacks&, History&);
template void fit(Model<double>&, const Examples<double>&, const Examples<double>*,
                  const FitOptions&, const Callbacks&, History&);
template Scores evaluate(const Model<float>&, const Examples<float>&, index, const Callbacks&,
                         const char*);
template Scores evaluate(const Model<double>&, const Examples<double>&, index, const Callbacks&,
                         const char*);
template Scores train_on_batch(Model<float>&, const Examples<float>&, OnNonFinite);
template Scores train_on_batch(Model<double>&, const Examples<double>&, OnNonFinite);
template double forward_flops(const Model<float>&, const Samples<float>&);
template double forward_flops(const Model<double>&, const Samples<double>&);
template double fit_flops(const Model<float>&, const Examples<float>&, const Examples<float>*,
                          index);
template double fit_flops(const Model<double>&, const Examples<double>&, const Examples<double>*,
                          index);

}  // namespace lstmfast::model
