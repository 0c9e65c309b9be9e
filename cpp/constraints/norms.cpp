// Constraints on the norms of columns, of rows, or of the whole of a weight.
#include <algorithm>
#include <cmath>
#include <utility>

#include "constraints/common.h"
#include "ops/vector.h"

namespace lstmfast::constraints {
namespace {

constexpr double kEpsilon = 1e-7;  // added to a norm before a division by it
constexpr char kAxes[] = "0, 1 or (0, 1)";

// Of what each norm is, in a weight's logical matrix. A vector is a matrix of one row.
enum class NormOf { column, row, whole };

// 0 or 1, or both as extents; -1 and -2 count from the last axis.
std::string normal_axis(base::Value& value) {
  const bool many = value.kind() == base::Value::Kind::extents;
  const base::Extents axes = many ? value.extents() : base::Extents{value.integer()};
  bool seen[2] = {};
  for (const index axis : axes) {
    const bool known = axis >= -2 && axis <= 1 && !std::exchange(seen[axis & 1], true);
    if (!known) return kAxes;
  }
  if (axes.empty()) return kAxes;
  value = axes.size() == 1 ? base::Value(axes[0]) : base::Extents{0, 1};
  return "";
}

// Keras's `axis`.
base::Option axis_option() {
  base::Option out = base::integer("axis", 0, -2, 1);
  out.takes |= base::kExtents;
  out.expected = kAxes;
  out.normalise = normal_axis;
  return out;
}

// What `axis` means for a weight of that many axes.
NormOf norm_of(const base::Values& options, std::size_t rank) {
  const base::Value& axis = options["axis"];
  if (rank == 1) {
    const bool good = axis == base::Value(0) || axis == base::Value(-1);
    if (!good) options.fail("axis", "0 for a weight of one axis");
    return NormOf::row;  // a vector is a matrix of one row
  }
  if (rank > 2) options.fail("axis", "no constraint of norms for a weight of more than two axes");
  if (axis.kind() == base::Value::Kind::extents) return NormOf::whole;
  return axis.integer() == 0 || axis.integer() == -2 ? NormOf::column : NormOf::row;
}

// Multiplies every column, every row or the whole of a part by factor(its L2 norm). Sums are in
// double, by ascending rows and panels; padding adds nothing to them and stays zero.
template <class T, class F>
void scale_by_norms(NormOf norm_of, const ops::PartLayout& part, T* block, F factor) {
  struct Strip {  // a row within a panel
    T* x;
    index width;
  };
  const auto strip = [&](index panel, index row) {
    const ops::PartLayout::Place place = part.place(panel);
    return Strip{block + place.first + row * place.row_stride, place.row_stride};
  };
  if (norm_of == NormOf::column) {
    constexpr index kStrip = 64;
    ops::for_items(part.panels, part.run_length(0), [&](index begin, index end) {
      for (index p = begin; p < end; ++p) {
        const index width = part.place(p).row_stride;
        for (index j = 0; j < width; j += kStrip) {
          const index n = std::min(kStrip, width - j);
          double sums[kStrip] = {};
          T by[kStrip];
          for (index r = 0; r < part.rows; ++r) {
            const T* const x = strip(p, r).x + j;
            for (index k = 0; k < n; ++k)
              sums[k] += static_cast<double>(x[k]) * static_cast<double>(x[k]);
          }
          for (index k = 0; k < n; ++k) by[k] = static_cast<T>(factor(std::sqrt(sums[k])));
          for (index r = 0; r < part.rows; ++r) {
            T* const x = strip(p, r).x + j;
            for (index k = 0; k < n; ++k) x[k] *= by[k];
          }
        }
      }
    });
    return;
  }
  const index rows = norm_of == NormOf::row ? 1 : part.rows;  // of one norm
  const auto scale_rows = [&](index first) {
    const auto for_strips = [&](auto f) {
      for (index r = first; r < first + rows; ++r)
        for (index p = 0; p < part.panels; ++p) f(strip(p, r));
    };
    double sum = 0;
    for_strips([&](const Strip& s) {
      double squares = 0;
      for (index j = 0; j < s.width; ++j)
        squares += static_cast<double>(s.x[j]) * static_cast<double>(s.x[j]);
      sum += squares;
    });
    const T by = static_cast<T>(factor(std::sqrt(sum)));
    for_strips([&](const Strip& s) {
      for (index j = 0; j < s.width; ++j) s.x[j] *= by;
    });
  };
  ops::for_items(part.rows / rows, rows * part.panels * part.row_stride,
                 [&](index begin, index end) {
                   for (index i = begin; i < end; ++i) scale_rows(i * rows);
                 });
}

// w d / (epsilon + norm), d = rate clamp(norm, least, most) + (1 - rate) norm. As in Keras, vectors
// within the limits lose a 1e-7th, too.
template <class T>
class NormLimits : public Constraint<T> {
 public:
  NormLimits(double least, double most, double rate, NormOf norm_of)
      : least_(least), most_(most), rate_(rate), norm_of_(norm_of) {}

  void apply(const ops::PartLayout& part, T* block) const override {
    scale_by_norms(norm_of_, part, block, [this](double norm) {
      const double kept = rate_ < 1 ? (1 - rate_) * norm : 0;
      return (rate_ * std::clamp(norm, least_, most_) + kept) / (kEpsilon + norm);
    });
  }

 private:
  double least_, most_, rate_;
  NormOf norm_of_;
};

template <class T>
struct MaxNorm final : NormLimits<T> {
  MaxNorm(const base::Values& options, std::size_t rank)
      : NormLimits<T>(0, options["max_value"].number(), 1, norm_of(options, rank)) {}
};

template <class T>
struct MinMaxNorm final : NormLimits<T> {
  MinMaxNorm(const base::Values& options, std::size_t rank)
      : NormLimits<T>(options["min_value"].number(), options["max_value"].number(),
                      options["rate"].number(), norm_of(options, rank)) {}
};

template <class T>
struct UnitNorm final : NormLimits<T> {
  UnitNorm(const base::Values& options, std::size_t rank)
      : NormLimits<T>(1, 1, 1, norm_of(options, rank)) {}
};

base::Option bound(const char* name, double fallback) {
  return base::number(name, fallback, base::at_least(0));
}

void check_order(const base::Values& options) {
  const base::Value &low = options["min_value"], &high = options["max_value"];
  if (low.number() > high.number()) {
    options.fail("min_value", "at most max_value, " + base::shown(high));
  }
}

}  // namespace

Component max_norm() { return Family::of<MaxNorm>({{bound("max_value", 2), axis_option()}}); }

Component min_max_norm() {
  return Family::of<MinMaxNorm>({{bound("min_value", 0), bound("max_value", 1),
                                  base::number("rate", 1, base::from_to(0, 1)), axis_option()},
                                 check_order});
}

Component unit_norm() { return Family::of<UnitNorm>({{axis_option()}}); }

}  // namespace lstmfast::constraints
