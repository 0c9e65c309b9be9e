#include "optim/clip.h"

#include <string>

namespace lstmfast::optim {
namespace {

// Norm of each parameter, value of each element, norm of all: users and files name them
// differently.
using Names = const char* const[3];
constexpr Names kNames = {"clipnorm", "clipvalue", "global_clipnorm"};
constexpr Names kKeys = {"norm", "value", "global_norm"};

template <const Names& names>
base::OptionTable limits() {
  const auto limit = [](const char* name) {
    return base::number(name, base::none(), base::above(0));
  };
  return {{limit(names[0]), limit(names[1]), limit(names[2])}, [](const base::Values& options) {
            std::string given;
            for (const char* name : names) {
              if (options[name].none()) continue;
              if (!given.empty()) options.fail(name, "None next to " + given);
              given = name;
            }
          }};
}

}  // namespace

const base::OptionTable& clip_options() {
  static const base::OptionTable table = limits<kNames>();
  return table;
}

ClipOptions read_clip(const base::OptionReader& given) {
  const base::Values options = given.read(limits<kKeys>());
  const auto of = [&](const char* name) {
    return options[name].none() ? 0.0 : options[name].number();
  };
  return {of("value"), of("norm"), of("global_norm")};
}

}  // namespace lstmfast::optim
