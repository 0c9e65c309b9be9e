// The reader of a model's configuration, for both types: what it takes, it takes again.
// Input: lines of the form key=value.
#include "model/definition.h"

#include <algorithm>
#include <string>

#include "target.h"

using namespace lstmfast;

namespace {

base::Texts read_lines(std::string_view text) {
  base::Texts map;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t sign = line.find('=');
    if (sign == std::string_view::npos) continue;
    map[std::string(line.substr(0, sign))] = std::string(line.substr(sign + 1));
  }
  return map;
}

template <class T>
void read(const base::Options& map) {
  fuzz::accepts([&] {
    const model::Definition<T> definition = model::read_definition<T>(map);
    for (const model::Owned<T>& each : definition.parameters) {
      lstmfast::index elements = 0;
      for (const layers::Parameter& parameter : each.parameters->list()) {
        fuzz::require(parameter.count() > 0, "parameters have elements");
        elements += parameter.count();
      }
      fuzz::require(elements <= each.parameters->size(), "parameters lie in their memory");
    }
    const base::Options config = definition.config();
    for (const base::Options& each : {config, base::from_texts(base::to_texts(config))}) {
      fuzz::require(model::read_definition<T>(each).config() == config,
                    "a configuration is read as it was written");
    }
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::Options map = base::from_texts(read_lines(fuzz::text_of(data, size)));
  read<float>(map);
  read<double>(map);
  return 0;
}
