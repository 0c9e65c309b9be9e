// The area below a curve through points, one at each threshold.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "metrics/common.h"
#include "metrics/confusion.h"

namespace lstmfast::metrics {
namespace {

struct Point {
  double x, y;
};

Point roc(const Confusion& c) {
  return {ratio(c.false_positives, c.false_positives + c.true_negatives), recall_of(c)};
}
Point precision_recall(const Confusion& c) { return {recall_of(c), precision_of(c)}; }
// Precision and recall over their values for "always positive" (Flach and Kull, 2015), at least 0
// for recall; without true positives, where both diverge, 0 and 1.
Point gains(const Confusion& c) {
  if (c.true_positives == 0) return {0, 1};
  const double scale =
      ratio(c.true_positives + c.false_negatives, c.true_negatives + c.false_positives) /
      c.true_positives;
  return {std::max(1 - scale * c.false_negatives, 0.0), 1 - scale * c.false_positives};
}

// Between two thresholds true positives grow linearly with all positives, precision does not (Davis
// and Goadrich, 2006). a: at the lower threshold. The integral of (slope p + rest) / p.
double interpolated_area(const Confusion& a, const Confusion& b) {
  const double from = b.true_positives + b.false_positives;
  const double to = a.true_positives + a.false_positives;
  const double gained = a.true_positives - b.true_positives;
  const double slope = to > from ? gained / (to - from) : 0;
  const double rest = b.true_positives - slope * from;
  const double log = from > 0 && to > 0 ? std::log(to / from) : 0;
  return ratio(slope * (gained + rest * log), b.true_positives + b.false_negatives);
}

double mean_of(double a, double b) { return (a + b) / 2; }
double least_of(double a, double b) { return std::min(a, b); }
double greatest_of(double a, double b) { return std::max(a, b); }

template <class T>
class Auc final : public MetricWith<T, Auc<T>> {
 public:
  explicit Auc(const base::Values& options)
      : by_label_(options["multi_label"].flag()), logits_(options["from_logits"].flag()) {
    std::vector<double> inner;
    bool even = true;
    if (!options["thresholds"].none()) {
      inner = options["thresholds"].numbers();
      std::sort(inner.begin(), inner.end());
      std::vector<double> all = {0.0};
      all.insert(all.end(), inner.begin(), inner.end());
      all.push_back(1.0);
      even = are_even(all);
    } else {
      const index count = options["num_thresholds"].integer();
      for (index i = 1; i + 1 < count; ++i) {
        inner.push_back(static_cast<double>(i) / static_cast<double>(count - 1));
      }
    }
    constexpr double kBeyond = 1e-7;  // so that 0 is above the first one, and 1 below the last
    inner.insert(inner.begin(), -kBeyond);
    inner.push_back(1 + kBeyond);
    sums_ = {std::move(inner), even};
    if (!options["num_labels"].none()) num_labels_ = options["num_labels"].integer();
    if (!options["label_weights"].none()) label_weights_ = options["label_weights"].numbers();
    const std::string curve = options["curve"].text();
    point_ = curve == "ROC" ? &roc : curve == "PR" ? &precision_recall : &gains;
    const std::string method = options["summation_method"].text();
    height_ = method == "interpolation" ? &mean_of
              : method == "minoring"    ? &least_of
                                        : &greatest_of;
    interpolates_precision_ = curve == "PR" && method == "interpolation";
  }

  void suit(const MetricUse& use) override {
    Metric<T>::suit(use);
    const auto check = [&](const char* name, index labels) {
      LF_CHECK(labels == use.columns, "[" << use.name << "] " << name << " is for " << labels
                                          << " labels; expected " << use.columns
                                          << ", the values of a prediction");
    };
    if (num_labels_ > 0) check("num_labels", num_labels_);
    if (!label_weights_.empty()) check("label_weights", static_cast<index>(label_weights_.size()));
    if (!by_label_ || sums_.labels() == use.columns) return;
    LF_CHECK(sums_.labels() == 1, "[" << use.name << "] prediction has " << use.columns
                                      << " labels; expected " << sums_.labels() << ", as before");
    sums_.set_labels(use.columns);
  }
  bool weighs_elements() const override { return true; }
  void reset() override { sums_.clear(); }

  void accumulate(const MetricBatch<T>& batch) override {
    const bool weighs_labels = !by_label_ && !label_weights_.empty();
    for_rows(batch, [&](index r, const T* p, const T* t, double of_row) {
      for (index j = 0; j < batch.columns; ++j) {
        const T share = logits_ ? 1 / (1 + std::exp(-p[j])) : p[j];
        double weight = weight_at(batch, r, j, of_row);
        if (weighs_labels) weight *= label_weights_[static_cast<std::size_t>(j)];
        sums_.add(by_label_ ? j : 0, sums_.exceeded(share), t[j] != 0, weight);
      }
    });
  }

 protected:
  double result() const override {
    double total = 0, weights = 0;
    for (index label = 0; label < sums_.labels(); ++label) {
      const bool weighs = by_label_ && !label_weights_.empty();
      const double weight = weighs ? label_weights_[static_cast<std::size_t>(label)] : 1;
      total += weight * area(sums_.of(label));
      weights += weight;
    }
    return ratio(total, weights);
  }

 private:
  double area(const std::vector<Confusion>& at) const {
    double total = 0;
    for (std::size_t i = 0; i + 1 < at.size(); ++i) {
      if (interpolates_precision_) {
        total += interpolated_area(at[i], at[i + 1]);
      } else {
        const Point a = point_(at[i]), b = point_(at[i + 1]);
        total += (a.x - b.x) * height_(a.y, b.y);
      }
    }
    return total;
  }

  bool by_label_, logits_;
  bool interpolates_precision_ = false;
  Point (*point_)(const Confusion&) = nullptr;
  double (*height_)(double, double) = nullptr;
  index num_labels_ = 0;
  std::vector<double> label_weights_;
  Confusions<T> sums_;
};

// A choice that may also be given with other capitals, as Keras allows: `change` makes it normal.
base::Option choice(const char* name, const char* fallback, std::vector<std::string> choices,
                    int (*change)(int)) {
  base::Option out = base::text(name, fallback, {});
  out.expected = base::one_of(choices);
  out.normalise = [choices = std::move(choices), change](base::Value& value) -> std::string {
    std::string text = value.text();
    std::transform(text.begin(), text.end(), text.begin(), [&](char c) {
      return static_cast<char>(change(static_cast<unsigned char>(c)));
    });
    if (std::count(choices.begin(), choices.end(), text) == 0) return base::one_of(choices);
    value = text;
    return "";
  };
  return out;
}

}  // namespace

Component auc() {
  base::OptionTable table{{base::integer("num_thresholds", 200, 2, 100000),
                           choice("curve", "ROC", {"ROC", "PR", "PRGAIN"}, &std::toupper),
                           choice("summation_method", "interpolation",
                                  {"interpolation", "majoring", "minoring"}, &std::tolower),
                           base::numbers("thresholds", base::none(), base::from_to(0, 1)),
                           base::flag("multi_label", false),
                           base::integer("num_labels", base::none(), 1),
                           base::numbers("label_weights", base::none(), base::at_least(0)),
                           base::flag("from_logits", false)}};
  table.together = [](const base::Values& options) {
    if (options["multi_label"].flag() || options["num_labels"].none()) return;
    options.fail("num_labels", "None without multi_label");
  };
  return Family::of<Auc>(std::move(table));
}

}  // namespace lstmfast::metrics
