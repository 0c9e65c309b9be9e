// A configuration as flat text, dotted key to value: typed reading with errors that name the key,
// and the text of values. Must not know what any key means.
#pragma once

#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/plain.h"

namespace lstmfast::base {

constexpr index kAnyExtent = -1;           // "?" in a shape
constexpr index kMaxInteger = 2147483647;  // the default upper bound of integers and extents

// Getters without a fallback throw when the key is absent. All errors are std::invalid_argument:
//   [model.config] layers.0.units is "abc"; expected an integer from 1 to 2147483647
// Numbers are read and written alike in every locale. Copies share the record of asked keys, which
// every getter writes: one thread at a time.
class FlatConfig {
 public:
  using Map = std::map<std::string, std::string>;
  static constexpr double kLowest = std::numeric_limits<double>::lowest();
  static constexpr double kHighest = std::numeric_limits<double>::max();

  // `subject` names the configuration in errors: "model.config".
  FlatConfig(Map values, std::string subject);

  // The keys below `prefix` ("layers.0"), asked for by what follows the dot. The part shares the
  // values and the record of asked keys with the whole, and errors show whole keys.
  FlatConfig part(const std::string& prefix) const;

  bool has(const std::string& key) const;

  std::string text(const std::string& key) const;
  std::string text_or(const std::string& key, const std::string& fallback) const;

  // One of `names`.
  std::string choice(const std::string& key, const std::vector<std::string>& names) const;
  std::string choice_or(const std::string& key, const std::vector<std::string>& names,
                        const std::string& fallback) const;

  // "elu" or "elu:0.5": one of `names`, and the finite numbers after its colons.
  std::string choice_with_numbers_or(const std::string& key, const std::vector<std::string>& names,
                                     const std::string& fallback,
                                     std::vector<double>* numbers) const;

  index integer(const std::string& key, index low = 1, index high = kMaxInteger) const;
  index integer_or(const std::string& key, index fallback, index low = 1,
                   index high = kMaxInteger) const;

  // A finite number within the bounds, both included.
  double number(const std::string& key, double low = kLowest, double high = kHighest) const;
  double number_or(const std::string& key, double fallback, double low = kLowest,
                   double high = kHighest) const;

  // "true" or "false".
  bool flag(const std::string& key) const;
  bool flag_or(const std::string& key, bool fallback) const;

  // "3,1"; extents from 1 to kMaxInteger, "?" is kAnyExtent; "" has no extents.
  std::vector<index> shape(const std::string& key) const;

  // Everything in this part with keys as the getters take them; counts as asked for.
  Map entries() const;

  // Throws when a key of this part was never asked for: names it and the keys that were.
  void check_all_used() const;

  // For errors about a value that only the caller can judge: throws
  // "[model.config] layers.0.units is "7"; expected <expected>".
  [[noreturn]] void fail(const std::string& key, const std::string& expected) const;

 private:
  struct Shared;
  FlatConfig(std::shared_ptr<Shared> shared, std::string prefix);
  const std::string* find(const std::string& key) const;  // null when absent; records the key
  const std::string& need(const std::string& key, const std::string& expected) const;

  std::shared_ptr<Shared> shared_;
  std::string prefix_;  // "" or "layers.0."
};

// The text that the getters read back to the same value; a double keeps all its bits and must be
// finite to be read back.
std::string integer_text(index value);
std::string number_text(double value);
std::string flag_text(bool value);
std::string extents_text(const std::vector<index>& shape);

}  // namespace lstmfast::base
