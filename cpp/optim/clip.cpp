#include "optim/clip.h"

#include <string>

namespace lstmfast::optim {
namespace {

base::Option limit(const char* name, const char* key) {
  base::Option out = base::number(name, base::none(), base::above(0));
  out.key = key;
  return out;
}

void check_one(const base::Values& options) {
  const char* given = nullptr;
  for (const char* name : {"clipnorm", "clipvalue", "global_clipnorm"}) {
    if (options[name].none()) continue;
    if (given != nullptr) options.fail(name, std::string("None beside ") + given);
    given = name;
  }
}

}  // namespace

const base::OptionTable& clip_options() {
  static const base::OptionTable table{{limit("clipnorm", "norm"), limit("clipvalue", "value"),
                                        limit("global_clipnorm", "global_norm")},
                                       check_one};
  return table;
}

ClipOptions read_clip(const base::OptionReader& given) {
  const base::Values options = given.read(clip_options());
  const auto of = [&](const char* name) {
    return options[name].none() ? 0.0 : options[name].number();
  };
  return {of("clipvalue"), of("clipnorm"), of("global_clipnorm")};
}

}  // namespace lstmfast::optim
