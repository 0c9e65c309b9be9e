#include "optim/clip.h"

#include <string>

namespace lstmfast::optim {
namespace {

void check_one(const base::Values& options) {
  std::string given;
  for (const auto& [name, limit] : options.all()) {
    if (limit.none()) continue;
    if (!given.empty()) options.fail(name, "None beside " + given);
    given = name;
  }
}

// Users and files name the limits differently.
base::OptionTable limits(const char* norm, const char* value, const char* global_norm) {
  const auto limit = [](const char* name) {
    return base::number(name, base::none(), base::above(0));
  };
  return {{limit(norm), limit(value), limit(global_norm)}, check_one};
}

}  // namespace

const base::OptionTable& clip_options() {
  static const base::OptionTable table = limits("clipnorm", "clipvalue", "global_clipnorm");
  return table;
}

ClipOptions read_clip(const base::OptionReader& given) {
  const base::Values options = given.read(limits("norm", "value", "global_norm"));
  const auto of = [&](const char* name) {
    return options[name].none() ? 0.0 : options[name].number();
  };
  return {of("value"), of("norm"), of("global_norm")};
}

}  // namespace lstmfast::optim
