#include <algorithm>
#include <cmath>

#include "base/interrupt.h"
#include "ops/vector.h"
#include "regularizers/common.h"

namespace lstmfast::regularizers {
namespace {

constexpr double kEpsilon = 1e-7;  // smaller norms count as this

// The rows or columns of a matrix as unit vectors, and the products of each two of them.
struct Units {
  index count, length;
  std::vector<double> u;         // [length][count]: vector j is column j
  std::vector<double> norms;     // [count]
  std::vector<double> products;  // [count][count], zero on the diagonal
};

template <class T>
Units make_units(const ops::PartLayout& part, const T* block, bool columns) {
  std::vector<T> logical(static_cast<std::size_t>(part.rows * part.columns));
  ops::export_part(part, block, logical.data());
  Units out;
  out.count = columns ? part.columns : part.rows;
  out.length = columns ? part.rows : part.columns;
  const index n = out.count, m = out.length;
  out.u.resize(logical.size());
  out.norms.resize(static_cast<std::size_t>(n));
  out.products.resize(static_cast<std::size_t>(n * n));
  double* const u = out.u.data();
  double* const norms = out.norms.data();
  for (index k = 0; k < m; ++k) {
    for (index j = 0; j < n; ++j) {
      u[k * n + j] = static_cast<double>(logical[columns ? k * n + j : j * m + k]);
      norms[j] += u[k * n + j] * u[k * n + j];
    }
  }
  for (index j = 0; j < n; ++j) norms[j] = std::max(std::sqrt(norms[j]), kEpsilon);
  for (index k = 0; k < m; ++k)
    for (index j = 0; j < n; ++j) u[k * n + j] /= norms[j];
  ops::for_items(n, n * m, [&](index begin, index end) {
    base::InterruptPoint point;
    for (index i = begin; i < end; ++i) {
      point.pass(2.0 * static_cast<double>(n * m));
      double* const row = out.products.data() + i * n;
      for (index k = 0; k < m; ++k)
        for (index j = 0; j < n; ++j) row[j] += u[k * n + i] * u[k * n + j];
      row[i] = 0;
    }
  });
  return out;
}

// factor times the mean of |u_i . u_j| over all pairs i < j. Unlike other passes it allocates at
// each call: the vectors and the products.
template <class T>
class OrthogonalRegularizer final : public Regularizer<T> {
 public:
  explicit OrthogonalRegularizer(const base::Values& options)
      : factor_(options["factor"].number()), columns_(options["columns"].flag()) {}

  bool suits(const std::vector<index>& shape) const override {
    return shape.size() == 2 && shape[columns_ ? 1 : 0] >= 2;
  }

  double value(const ops::PartLayout& part, const T* block) const override {
    const Units units = make_units(part, block, columns_);
    double total = 0;
    for (index i = 0; i < units.count; ++i)
      for (index j = 0; j < i; ++j)
        total += std::abs(units.products[static_cast<std::size_t>(i * units.count + j)]);
    return total * weight(units);
  }

  // With s = sign(u_i . u_j) / pairs, du_i = sum over j of s u_j, and x_i = |x_i| u_i has
  // dx_i = (du_i - u_i (u_i . du_i)) / |x_i|; below the least norm, where u = x / epsilon, the
  // second term is 0.
  void add_gradient(const ops::PartLayout& part, const T* block, T scale,
                    T* gradient) const override {
    const Units units = make_units(part, block, columns_);
    const index n = units.count, m = units.length;
    const double by = weight(units) * static_cast<double>(scale);
    std::vector<double> du(units.u.size()), along(static_cast<std::size_t>(n));
    ops::for_items(m, n * n, [&](index begin, index end) {
      base::InterruptPoint point;
      for (index k = begin; k < end; ++k) {
        point.pass(2.0 * static_cast<double>(n * n));
        double* const row = du.data() + k * n;
        for (index j = 0; j < n; ++j) {
          const double* const p = units.products.data() + j * n;
          const double u = by * units.u[static_cast<std::size_t>(k * n + j)];
          for (index i = 0; i < n; ++i) row[i] += p[i] > 0 ? u : p[i] < 0 ? -u : 0;
        }
      }
    });
    for (std::size_t at = 0; at < du.size(); ++at)
      along[at % static_cast<std::size_t>(n)] += units.u[at] * du[at];
    std::vector<T> logical(du.size());
    ops::export_part(part, static_cast<const T*>(gradient), logical.data());
    for (index k = 0; k < m; ++k) {
      for (index i = 0; i < n; ++i) {
        const auto at = static_cast<std::size_t>(k * n + i), to = static_cast<std::size_t>(i);
        const double norm = units.norms[to];
        const double back = norm > kEpsilon ? units.u[at] * along[to] : 0;
        logical[static_cast<std::size_t>(columns_ ? k * n + i : i * m + k)] +=
            static_cast<T>((du[at] - back) / norm);
      }
    }
    ops::import_part(part, logical.data(), gradient);
  }

 private:
  double weight(const Units& units) const {
    return factor_ /
           (0.5 * static_cast<double>(units.count) * static_cast<double>(units.count - 1));
  }

  double factor_;
  bool columns_;
};

}  // namespace

Component orthogonal_regularizer() {
  return Family::of<OrthogonalRegularizer>(
      {{factor("factor", 0.01), base::flag("columns", false)}});
}

}  // namespace lstmfast::regularizers
