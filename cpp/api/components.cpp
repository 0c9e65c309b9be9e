#include "api/components.h"

#include <map>

#include "constraints/constraint.h"
#include "layers/layer.h"
#include "layers/options.h"
#include "losses/loss.h"
#include "metrics/metric.h"
#include "optim/clip.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "regularizers/regularizer.h"

namespace lstmfast::api {
namespace {

struct Family {
  const char* name;
  std::vector<std::string> (*kinds)();
  const base::OptionTable& (*options)(const std::string& kind);
};

template <const auto& (*registry)()>
Family family(const char* name) {
  return {name, [] { return registry().kinds(); },
          [](const std::string& kind) -> const base::OptionTable& {
            return registry().at(kind).component.options;
          }};
}

const base::OptionTable& activation_options(const std::string& kind) {
  const base::OptionTable* const table = layers::activation_options(kind);
  if (table == nullptr) {
    base::OptionReader({{"name", kind}}, "Activation")
        .fail("name", base::one_of(layers::activation_names()));
  }
  return *table;
}

std::vector<std::string> lstm_kinds() { return {"lstm"}; }
const base::OptionTable& cell_options(const std::string&) { return layers::lstm_cell_options(); }
const base::OptionTable& rnn_options(const std::string&) { return layers::rnn_options(); }

// With the limits on gradients, which all have.
const base::OptionTable& optimizer_options(const std::string& kind) {
  static const std::map<std::string, base::OptionTable> tables = [] {
    std::map<std::string, base::OptionTable> out;
    for (const std::string& each : optim::registry().kinds()) {
      out.emplace(each, optim::registry().at(each).component.options + optim::clip_options());
    }
    return out;
  }();
  return tables.at(optim::registry().at(kind).kind);
}

const Family kFamilies[] = {
    {"activation", &layers::activation_names, &activation_options},
    {"cell", &lstm_kinds, &cell_options},
    family<constraints::registry>("constraint"),
    family<layers::registry>("layer"),
    family<losses::registry>("loss"),
    family<metrics::registry>("metric"),
    {"optimizer", [] { return optim::registry().kinds(); }, &optimizer_options},
    family<regularizers::registry>("regularizer"),
    {"rnn", &lstm_kinds, &rnn_options},
    {"schedule", &optim::schedule_kinds, &optim::schedule_options},
};

const Family& at(const std::string& name) {
  for (const Family& family : kFamilies) {
    if (name == family.name) return family;
  }
  base::OptionReader({{"family", name}}, "components").fail("family", base::one_of(families()));
}

}  // namespace

std::vector<std::string> families() {
  std::vector<std::string> out;
  for (const Family& family : kFamilies) out.emplace_back(family.name);
  return out;
}

std::vector<std::string> kinds(const std::string& family) { return at(family).kinds(); }

const base::OptionTable& options_of(const std::string& family, const std::string& kind) {
  return at(family).options(kind);
}

base::Options check(const std::string& family, const std::string& kind, base::Options values,
                    const std::string& where) {
  const base::OptionTable& table = options_of(family, kind);
  const base::OptionReader reader(std::move(values), where);
  base::Options out = reader.read(table).all();
  reader.check_all_used();
  return out;
}

}  // namespace lstmfast::api
