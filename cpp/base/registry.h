// The components of one family (losses, optimizers, ...) by kind: the table of options of each and
// its makers. Must not know any family.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/options.h"

namespace lstmfast::base {

// Base<T> is what a family's components are; Args is what makers are given after the options.
template <template <class> class Base, class... Args>
class Registry {
 public:
  template <class T>
  using Maker = std::unique_ptr<Base<T>> (*)(const Values& options, Args...);

  struct Component {
    OptionTable options;
    Maker<float> make_float;
    Maker<double> make_double;
  };
  // The component C, whose constructor takes what it needs of options and arguments, in this order.
  template <template <class> class C>
  static Component of(OptionTable options = {}) {
    return {std::move(options), &construct<C<float>, Base<float>>,
            &construct<C<double>, Base<double>>};
  }

  struct Entry {
    std::string kind, alias;  // the alias is the kind where there is none
    Component component;
  };

  Registry(std::string family, std::vector<Entry> entries)
      : family_(std::move(family)), entries_(std::move(entries)) {}

  // In the order of the family's list, without aliases.
  std::vector<std::string> kinds() const {
    std::vector<std::string> out;
    for (const Entry& entry : entries_) out.push_back(entry.kind);
    return out;
  }

  // Null where there is no such kind or alias.
  const Entry* find(const std::string& name) const {
    for (const Entry& entry : entries_) {
      if (name == entry.kind || name == entry.alias) return &entry;
    }
    return nullptr;
  }

  // Throws std::invalid_argument listing the kinds.
  const Entry& at(const std::string& name) const {
    const Entry* const entry = find(name);
    if (entry == nullptr) OptionReader({{"kind", name}}, family_).fail("kind", one_of(kinds()));
    return *entry;
  }

  // The component of that kind or alias, by the options that `given` holds.
  template <class T>
  std::unique_ptr<Base<T>> make(const std::string& name, const OptionReader& given,
                                Args... args) const {
    const Component& component = at(name).component;
    const Values options = given.read(component.options);
    if constexpr (sizeof(T) == sizeof(float)) {
      return component.make_float(options, args...);
    } else {
      return component.make_double(options, args...);
    }
  }
  template <class T>
  std::unique_ptr<Base<T>> make(const std::string& name, const Options& given, Args... args) const {
    return make<T>(name, OptionReader(given, name), args...);
  }

  // The component whose kind stands under the key "kind".
  template <class T>
  std::unique_ptr<Base<T>> make(const OptionReader& given, Args... args) const {
    return make<T>(given.read(text("kind", kRequired, kinds())).text(), given, args...);
  }

 private:
  template <class Made, class Result>
  static std::unique_ptr<Result> construct(const Values& options, Args... args) {
    if constexpr (std::is_constructible_v<Made, const Values&, Args...>) {
      return std::make_unique<Made>(options, args...);
    } else if constexpr (std::is_constructible_v<Made, const Values&>) {
      return std::make_unique<Made>(options);
    } else {
      return std::make_unique<Made>();
    }
  }

  std::string family_;
  std::vector<Entry> entries_;
};

}  // namespace lstmfast::base
