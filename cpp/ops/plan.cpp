#include "ops/plan.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "base/cache_sizes.h"
#include "base/check.h"
#include "base/system_text.h"
#include "base/text.h"
#include "kernels/table.h"

namespace lstmfast::ops {
namespace {

struct PlanRow {
  const char* name;
  index least, most;
  index Plan::* value;
};

constexpr PlanRow kRows[] = {
#define LF_PLAN(name, value, least, most) {#name, least, most, &Plan::name},
#include "ops/plan.def"
#undef LF_PLAN
};

// Sets what "name=value" says.
void set(std::string_view assignment, Plan* plan) {
  const std::size_t equals = assignment.find('=');
  const std::string_view name = base::trim(assignment.substr(0, equals));
  std::string names;
  for (const PlanRow& row : kRows) {
    names += (names.empty() ? "" : ", ") + std::string(row.name);
    if (name != row.name) continue;
    const auto value = equals == std::string_view::npos
                           ? std::nullopt
                           : base::parse_number(assignment.substr(equals + 1));
    LF_CHECK(value && *value >= row.least && *value <= row.most,
             "[plan] LSTMFAST_PLAN has " << base::in_quotes(assignment) << "; expected " << row.name
                                         << "= a whole number from " << row.least << " to "
                                         << row.most);
    plan->*row.value = *value;
    return;
  }
  LF_FAIL("[plan] LSTMFAST_PLAN has " << base::in_quotes(assignment)
                                      << "; expected a number for one of " << names);
}

Plan parse(std::string_view rest) {
  Plan plan;
  while (!base::trim(rest).empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    set(base::trim(rest.substr(0, comma)), &plan);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return plan;
}

// The shortest of a few runs of f, in seconds: the first ones wake wide vector units.
template <class F>
double shortest(F f) {
  using Clock = std::chrono::steady_clock;
  double best = 1;
  for (int i = 0; i < 4; ++i) {
    const Clock::time_point start = Clock::now();
    f();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

// Both together some 0.1 ms: a plan needs no more than a rough speed, and none below this, which
// says that something else ran.
constexpr index kLeastSpeed = 5;
double measured_gflops() {
  constexpr index kCount = 1000;
  const kernels::Table<float>& kernel = kernels::table<float>();
  alignas(64) float sums[64];
  const double seconds = shortest([&] { kernel.fma_chains({kCount, sums}); });
  return 2.0 * double(kCount * kernels::kFmaChains * kernel.lanes) / seconds * 1e-9;
}
double measured_read_gbs(index l2) {
  base::Buffer<float> values;
  values.resize(l2 / 4 / index(sizeof(float)));
  std::fill_n(values.data(), values.size(), 1.0F);
  alignas(64) float sums[64];
  const double seconds =
      shortest([&] { kernels::table<float>().read_once({values.size(), values.data(), sums}); });
  return double(values.size()) * sizeof(float) / seconds * 1e-9;
}

Plan make_plan(std::string_view text) {
  Plan plan = parse(text);
  const base::CacheSizes& caches = base::cache_sizes();
  if (plan.l2 == 0) plan.l2 = caches.l2;
  if (plan.l3 == 0) plan.l3 = caches.l3 > 0 ? caches.l3 : 2 * plan.l2;
  if (plan.gflops == 0) plan.gflops = std::max(kLeastSpeed, index(measured_gflops()));
  if (plan.read_gbs == 0)
    plan.read_gbs = std::max(kLeastSpeed, index(measured_read_gbs(caches.l2)));
  return plan;
}

Plan& current() {
  static Plan made = [] {
    const char* const variable = std::getenv("LSTMFAST_PLAN");
    return make_plan(variable == nullptr ? "" : variable);
  }();
  return made;
}

}  // namespace

const Plan& plan() { return current(); }

void set_plan(std::string_view text) { current() = make_plan(text); }

std::string plan_text() {
  std::string text;
  for (const PlanRow& row : kRows)
    text +=
        (text.empty() ? "" : ",") + std::string(row.name) + "=" + std::to_string(plan().*row.value);
  return text;
}

}  // namespace lstmfast::ops
