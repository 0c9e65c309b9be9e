#include "optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

namespace lstmfast::optim {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr int kMaxDepth = 8;  // of keys: schedules inside each other
constexpr char kCustom[] = "custom";
constexpr char kAfter[] = "decay_schedule_fn";  // of warm_up

struct Kind {
  const char* name;
  base::OptionTable options;
  Schedule (*make)(const base::Values& options, const Schedule& custom);
};

base::Option at_least_0(const char* name, base::Fallback fallback) {
  return base::number(name, std::move(fallback), base::at_least(0));
}
base::Option initial_rate() { return at_least_0("initial_learning_rate", base::kRequired); }
base::Option decay_rate() { return at_least_0("decay_rate", base::kRequired); }

base::Option steps(const char* name) {  // which may be a fraction
  return base::number(name, base::kRequired, base::above(0));
}

// 1 to 0 over 0 .. 1.
double half_cosine(double done) { return 0.5 * (1 + std::cos(kPi * done)); }

Schedule exponential_decay(const base::Values& o, const Schedule&) {
  return [first = o["initial_learning_rate"].number(), steps = o["decay_steps"].number(),
          by = o["decay_rate"].number(), stairs = o["staircase"].flag()](double step) {
    const double periods = step / steps;
    return first * std::pow(by, stairs ? std::floor(periods) : periods);
  };
}

Schedule inverse_time_decay(const base::Values& o, const Schedule&) {
  return [first = o["initial_learning_rate"].number(), steps = o["decay_steps"].number(),
          by = o["decay_rate"].number(), stairs = o["staircase"].flag()](double step) {
    const double periods = step / steps;
    return first / (1 + by * (stairs ? std::floor(periods) : periods));
  };
}

Schedule piecewise_constant_decay(const base::Values& o, const Schedule&) {
  return [ends = o["boundaries"].numbers(), values = o["values"].numbers()](double step) {
    return values[static_cast<std::size_t>(std::lower_bound(ends.begin(), ends.end(), step) -
                                           ends.begin())];
  };
}

void check_pieces(const base::Values& o) {
  const base::Numbers &ends = o["boundaries"].numbers(), &values = o["values"].numbers();
  if (std::adjacent_find(ends.begin(), ends.end(), std::greater_equal<>()) != ends.end()) {
    o.fail("boundaries", "increasing numbers");
  }
  if (values.size() != ends.size() + 1) {
    o.fail("values", "a list of " + std::to_string(ends.size() + 1) +
                         " numbers, one more than boundaries has");
  }
}

Schedule polynomial_decay(const base::Values& o, const Schedule&) {
  return [first = o["initial_learning_rate"].number(), period = o["decay_steps"].number(),
          last = o["end_learning_rate"].number(), power = o["power"].number(),
          cycles = o["cycle"].flag()](double step) {
    double steps = period;
    if (cycles) {
      steps *= std::max(1.0, std::ceil(step / period));
    } else {
      step = std::min(step, steps);
    }
    return (first - last) * std::pow(1 - step / steps, power) + last;
  };
}

Schedule cosine_decay(const base::Values& o, const Schedule&) {
  const double first = o["initial_learning_rate"].number();
  const bool warms = !o["warmup_target"].none();
  return [first, steps = o["decay_steps"].number(), alpha = o["alpha"].number(),
          top = warms ? o["warmup_target"].number() : first,
          warmup = warms ? o["warmup_steps"].number() : 0.0](double step) {
    if (step < warmup) return (top - first) * (step / warmup) + first;
    const double done = std::min(step - warmup, steps) / steps;
    return top * ((1 - alpha) * half_cosine(done) + alpha);
  };
}

Schedule cosine_decay_restarts(const base::Values& o, const Schedule&) {
  return [first = o["initial_learning_rate"].number(), steps = o["first_decay_steps"].number(),
          longer = o["t_mul"].number(), lower = o["m_mul"].number(),
          alpha = o["alpha"].number()](double step) {
    double done = step / steps, restarts = std::floor(done);
    if (longer == 1) {
      done -= restarts;
    } else {
      // the restarts of 1, longer, longer^2, ... first periods, up to the rounding of logarithms
      restarts = std::floor(std::log(1 + done * (longer - 1)) / std::log(longer));
      const auto within = [&](double n) {
        const double period = std::pow(longer, n);
        return (done - (period - 1) / (longer - 1)) / period;
      };
      if (within(restarts) >= 1) restarts += 1;
      if (within(restarts) < 0) restarts -= 1;
      done = within(restarts);
    }
    return first * ((1 - alpha) * std::pow(lower, restarts) * half_cosine(done) + alpha);
  };
}

Schedule warm_up(const base::Values& o, const Schedule& custom) {
  return [top = o["initial_learning_rate"].number(), steps = o["warmup_steps"].number(),
          power = o["power"].number(), then = make_schedule(o.part(kAfter), custom)](double step) {
    return step < steps ? top * std::pow(step / steps, power) : then(step - steps);
  };
}

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"exponential_decay",
       {{initial_rate(), steps("decay_steps"), decay_rate(), base::flag("staircase", false)}},
       &exponential_decay},
      {"inverse_time_decay",
       {{initial_rate(), steps("decay_steps"), decay_rate(), base::flag("staircase", false)}},
       &inverse_time_decay},
      {"piecewise_constant_decay",
       {{base::numbers("boundaries", base::kRequired),
         base::numbers("values", base::kRequired, base::at_least(0))},
        &check_pieces},
       &piecewise_constant_decay},
      {"polynomial_decay",
       {{initial_rate(), steps("decay_steps"), at_least_0("end_learning_rate", 0.0001),
         at_least_0("power", 1), base::flag("cycle", false)}},
       &polynomial_decay},
      {"cosine_decay",
       {{initial_rate(), steps("decay_steps"), at_least_0("alpha", 0),
         at_least_0("warmup_target", base::none()), base::integer("warmup_steps", 0, 0)}},
       &cosine_decay},
      {"cosine_decay_restarts",
       {{initial_rate(), steps("first_decay_steps"), base::number("t_mul", 2, base::at_least(1)),
         at_least_0("m_mul", 1), at_least_0("alpha", 0)}},
       &cosine_decay_restarts},
      {"warm_up", {{initial_rate(), steps("warmup_steps"), at_least_0("power", 1)}}, &warm_up},
  };
  return all;
}

const Kind* find(const std::string& name) {
  for (const Kind& kind : kinds()) {
    if (name == kind.name) return &kind;
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> schedule_kinds() {
  std::vector<std::string> out;
  for (const Kind& kind : kinds()) out.emplace_back(kind.name);
  return out;
}

const base::OptionTable& schedule_options(const std::string& name) {
  const Kind* const kind = find(name);
  if (kind == nullptr) {
    base::OptionReader({{"kind", name}}, "schedule").fail("kind", base::one_of(schedule_kinds()));
  }
  return kind->options;
}

Schedule make_schedule(const base::OptionReader& given, const Schedule& custom) {
  std::vector<std::string> known = schedule_kinds();
  known.emplace_back(kCustom);
  const std::string name = given.read(base::text("kind", base::kRequired, known)).text();
  if (given.depth() > kMaxDepth) given.fail("kind", "fewer schedules inside each other");
  if (name == kCustom) {
    if (!custom) given.fail("kind", "a function with it");
    return custom;
  }
  const Kind& kind = *find(name);
  return kind.make(given.read(kind.options), custom);
}

}  // namespace lstmfast::optim
