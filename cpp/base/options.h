// Tables of options, and the one reader and check of values by them: names, kinds, defaults, ranges
// and choices stand in a component's table, and every error text comes from here. Must not know
// what any option means.
//
//   [Adam] beta_1 is 2; expected a number from 0 to below 1
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/value.h"

namespace lstmfast::base {

// A value of the wrong type, where std::invalid_argument is one of the wrong content.
struct WrongType : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

// Of numbers, which are finite in any case.
struct Bounds {
  double low = std::numeric_limits<double>::lowest(), high = std::numeric_limits<double>::max();
  bool low_open = false, high_open = false;  // whether the bound itself is out
};
constexpr Bounds at_least(double low) {
  return {low, std::numeric_limits<double>::max(), false, false};
}
constexpr Bounds above(double low) {
  return {low, std::numeric_limits<double>::max(), true, false};
}
constexpr Bounds from_to(double low, double high) { return {low, high, false, false}; }
constexpr Bounds from_to_below(double low, double high) { return {low, high, false, true}; }

// What an option takes; several at once.
enum Takes : unsigned {
  kFlag = 1,
  kInteger = 2,
  kNumber = 4,
  kText = 8,
  kExtents = 16,
  kNumbers = 32
};

struct Option {
  std::string name;  // in configurations and files, too
  unsigned takes = 0;
  Value fallback;                    // without a value; none: None is a value, too
  bool required = false;             // then there is no fallback
  index least = 0, most = 0;         // of an integer, and of each extent
  Bounds bounds;                     // of a number, and of each of several
  std::vector<std::string> choices;  // of a text; empty: any
  // Makes a value the normal one; returns what was expected where it is wrong, else "".
  std::function<std::string(Value&)> normalise;
  std::string expected;  // for errors, where the table does not say it all

  // "a number from 0 to 1, or None"
  std::string expected_text() const;
};

// An option is required where its fallback is kRequired.
struct Fallback {
  struct Required {};
  Value value;
  bool required = false;

  template <class V>
  Fallback(V value_) : value(std::move(value_)) {}
  Fallback(Required) : required(true) {}
};
constexpr Fallback::Required kRequired{};
inline Value none() { return {}; }

Option flag(const char* name, Fallback fallback);
Option integer(const char* name, Fallback fallback, index least, index most = kMaxInteger);
Option number(const char* name, Fallback fallback, Bounds bounds = {});
Option text(const char* name, Fallback fallback, std::vector<std::string> choices = {});
Option extents(const char* name, Fallback fallback, index least = 1, index most = kMaxInteger);
Option numbers(const char* name, Fallback fallback, Bounds bounds = {});  // a list of at least one

class Values;

struct OptionTable {
  std::vector<Option> rows;
  // Throws, by Values::fail, for values that do not go together.
  void (*together)(const Values&) = nullptr;

  OptionTable operator+(const OptionTable& more) const;  // rows of both, the first `together`
};

// Reads values, typed ones or texts from a file, and remembers which keys were asked for. Copies
// and parts share that record: one thread at a time.
class OptionReader {
 public:
  // `where` stands at the head of errors.
  OptionReader(Options values, std::string where);

  // The values below `prefix` ("layers.0"); errors show whole keys.
  int depth() const;  // levels of keys above those that it reads
  OptionReader part(const std::string& prefix) const;

  bool has(const std::string& key) const;

  // The value of one option, checked, its fallback where there is none. Throws
  // std::invalid_argument naming the key, WrongType among them.
  Value read(const Option& option) const;
  Values read(const OptionTable& table) const;

  // All that is in this part, by the keys below its prefix; counts as asked for.
  Options entries() const;

  // Throws where a key of this part was never asked for: names it and the keys that were.
  void check_all_used() const;

  // What was read of this part, typed and normal; what was not given is not there.
  Options typed() const;

  // For what only the caller can judge: throws "[where] KEY is VALUE; expected EXPECTED".
  [[noreturn]] void fail(const std::string& key, const std::string& expected) const;

 private:
  struct Shared;
  OptionReader(std::shared_ptr<Shared> shared, std::string prefix);
  const Value* find(const std::string& key) const;  // null where there is none; records the key

  std::shared_ptr<Shared> shared_;
  std::string prefix_;  // "" or "layers.0."
};

// What a table read: a value for each of its options.
class Values {
 public:
  Values(OptionReader given, const OptionTable& table);

  const Value& operator[](const std::string& name) const;
  const Options& all() const { return values_; }
  OptionReader part(const std::string& prefix) const { return given_.part(prefix); }
  const OptionReader& given() const { return given_; }
  [[noreturn]] void fail(const std::string& name, const std::string& expected) const {
    given_.fail(name, expected);
  }

 private:
  OptionReader given_;
  Options values_;
};

// The nearest of `names`, or "" where none is near: for "did you mean".
std::string nearest(const std::string& name, const std::vector<std::string>& names);

// "one of \"a\", \"b\""
std::string one_of(const std::vector<std::string>& names);

}  // namespace lstmfast::base
