#include "base/options.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace lstmfast::base {
namespace {

constexpr index kMost = std::numeric_limits<index>::max();

std::string expected_integer(index least, index most) {
  if (most == kMost) return "an integer of at least " + std::to_string(least);
  return "an integer from " + std::to_string(least) + " to " + std::to_string(most);
}

// "a number from 0 to 1", "a list of finite numbers"
std::string expected_number(const Bounds& b, bool several) {
  const bool low = b.low > std::numeric_limits<double>::lowest();
  const bool high = b.high < std::numeric_limits<double>::max();
  const std::string what = several ? "numbers" : "number", a = several ? "a list of " : "a ";
  if (!low && !high) return a + "finite " + what;
  if (!high) return a + what + (b.low_open ? " above " : " of at least ") + number_text(b.low);
  return a + what + (b.low_open ? " above " : " from ") + number_text(b.low) + " to " +
         (b.high_open ? "below " : "") + number_text(b.high);
}

bool within(double value, const Bounds& b) {
  return std::isfinite(value) && (b.low_open ? value > b.low : value >= b.low) &&
         (b.high_open ? value < b.high : value <= b.high);
}

Option make(const char* name, Takes takes, Fallback fallback, index least = 0, index most = 0) {
  Option out;
  out.name = name;
  out.takes = takes;
  out.fallback = std::move(fallback.value);
  out.required = fallback.required;
  out.least = least;
  out.most = most;
  return out;
}

// The value that a file's text is for this option; false where it is none.
bool parse_file_text(const Option& option, Value* value) {
  const std::string text = value->file();
  const auto is = [&](auto parsed) {
    if (!parse(text, &parsed)) return false;
    *value = parsed;
    return true;
  };
  if ((option.takes & kFlag) != 0 && is(false)) return true;
  if ((option.takes & kInteger) != 0 && is(index{0})) return true;
  if ((option.takes & kNumber) != 0 && is(0.0)) return true;
  if ((option.takes & kExtents) != 0 && is(Extents{})) return true;
  if ((option.takes & kNumbers) != 0 && is(Numbers{})) return true;
  if ((option.takes & kText) == 0) return false;
  *value = text;
  return true;
}

enum class Fit { good, type, content };

// Converts the value to what the option takes, where it is of such a type.
Fit fit_type(const Option& option, Value* value) {
  using Kind = Value::Kind;
  const auto takes = [&](unsigned kinds) { return (option.takes & kinds) != 0; };
  const Kind kind = value->kind();
  if (kind == Kind::none) return option.fallback.none() && !option.required ? Fit::good : Fit::type;
  if (kind == Kind::file) return parse_file_text(option, value) ? Fit::good : Fit::content;
  if (kind == Kind::foreign) {
    const Foreign foreign = value->foreign();
    if (!foreign.integer) return foreign.content ? Fit::content : Fit::type;
    if (takes(kInteger)) return Fit::content;
    if (!takes(kNumber)) return Fit::type;
    *value = foreign.number;
    return std::isfinite(foreign.number) ? Fit::good : Fit::content;
  }
  // From flag on, in the order of Value::Kind.
  constexpr unsigned kTaking[] = {kFlag, kInteger | kNumber,  kNumber,
                                  kText, kExtents | kNumbers, kNumbers};
  if (!takes(kTaking[static_cast<int>(kind) - 1])) return Fit::type;
  if (kind == Kind::integer && !takes(kInteger)) *value = value->number();
  if (kind == Kind::extents && !takes(kExtents)) {
    const Extents whole = value->extents();
    if (std::count(whole.begin(), whole.end(), kAnyExtent) != 0) return Fit::type;
    *value = Numbers(whole.begin(), whole.end());
  }
  return Fit::good;
}

bool fits_content(const Option& option, const Value& value) {
  const auto fits = [&](index i) { return i >= option.least && i <= option.most; };
  switch (value.kind()) {
    case Value::Kind::integer:
      return fits(value.integer());
    case Value::Kind::number:
      return within(value.number(), option.bounds);
    case Value::Kind::text:
      return option.choices.empty() ||
             std::count(option.choices.begin(), option.choices.end(), value.text()) != 0;
    case Value::Kind::extents: {
      const Extents& all = value.extents();
      return std::all_of(all.begin(), all.end(),
                         [&](index i) { return i == kAnyExtent || fits(i); });
    }
    case Value::Kind::numbers: {
      const Numbers& all = value.numbers();
      return !all.empty() && std::all_of(all.begin(), all.end(),
                                         [&](double each) { return within(each, option.bounds); });
    }
    default:
      return true;
  }
}

// What was asked for next to `key`: the keys of its level up to their next dot; where nothing was
// asked there, those of the nearest level above.
std::vector<std::string> known_beside(const std::set<std::string>& asked, const std::string& key) {
  std::set<std::string> known;
  std::size_t level = key.size();
  while (known.empty() && level > 0) {
    const std::size_t dot = key.rfind('.', level - 1);
    level = dot == std::string::npos ? 0 : dot;
    const std::string prefix = level == 0 ? "" : key.substr(0, level + 1);
    for (auto at = asked.lower_bound(prefix); at != asked.end(); ++at) {
      if (at->compare(0, prefix.size(), prefix) != 0) break;
      known.insert(at->substr(0, at->find('.', prefix.size())));
    }
  }
  return {known.begin(), known.end()};
}

// The entries whose keys begin with `prefix`, by what follows it.
Options below(const Options& values, const std::string& prefix) {
  Options out;
  for (auto at = values.lower_bound(prefix); at != values.end(); ++at) {
    if (at->first.compare(0, prefix.size(), prefix) != 0) break;
    out.emplace(at->first.substr(prefix.size()), at->second);
  }
  return out;
}

}  // namespace

std::string Option::expected_text() const {
  if (!expected.empty()) return expected;
  std::vector<std::string> ways;
  if ((takes & kFlag) != 0) ways.emplace_back("True or False");
  if ((takes & kInteger) != 0) ways.push_back(expected_integer(least, most));
  if ((takes & kNumber) != 0) ways.push_back(expected_number(bounds, false));
  if ((takes & kNumbers) != 0) ways.push_back(expected_number(bounds, true));
  if ((takes & kExtents) != 0) ways.emplace_back("sizes such as (3, 1) or (None, 1)");
  if ((takes & kText) != 0 && choices.empty()) ways.emplace_back("a string");
  if (choices.size() == 1) ways.push_back(in_quotes(choices[0]));
  if (choices.size() > 1) ways.push_back(one_of(choices));
  std::string out;
  for (const std::string& way : ways) out += (out.empty() ? "" : ", or ") + way;
  return fallback.none() && !required ? out + ", or None" : out;
}

Option flag(const char* name, Fallback fallback) { return make(name, kFlag, std::move(fallback)); }

Option integer(const char* name, Fallback fallback, index least, index most) {
  return make(name, kInteger, std::move(fallback), least, most);
}

Option number(const char* name, Fallback fallback, Bounds bounds) {
  Option out = make(name, kNumber, std::move(fallback));
  if (out.fallback.kind() == Value::Kind::integer) out.fallback = out.fallback.number();
  out.bounds = bounds;
  return out;
}

Option text(const char* name, Fallback fallback, std::vector<std::string> choices) {
  Option out = make(name, kText, std::move(fallback));
  out.choices = std::move(choices);
  return out;
}

Option extents(const char* name, Fallback fallback, index least, index most) {
  return make(name, kExtents, std::move(fallback), least, most);
}

Option numbers(const char* name, Fallback fallback, Bounds bounds) {
  Option out = make(name, kNumbers, std::move(fallback));
  out.bounds = bounds;
  return out;
}

OptionTable OptionTable::operator+(const OptionTable& more) const {
  OptionTable out = *this;
  out.rows.insert(out.rows.end(), more.rows.begin(), more.rows.end());
  if (out.together == nullptr) out.together = more.together;
  return out;
}

// One for a configuration and all its parts.
struct OptionReader::Shared {
  Options values;
  std::string where;
  std::set<std::string> asked;  // whole keys, present or not
  Options typed;
};

OptionReader::OptionReader(Options values, std::string where)
    : shared_(std::make_shared<Shared>(Shared{std::move(values), std::move(where), {}, {}})) {}

OptionReader::OptionReader(std::shared_ptr<Shared> shared, std::string prefix)
    : shared_(std::move(shared)), prefix_(std::move(prefix)) {}

OptionReader OptionReader::part(const std::string& prefix) const {
  return OptionReader(shared_, prefix_ + prefix + ".");
}

int OptionReader::depth() const {
  return static_cast<int>(std::count(prefix_.begin(), prefix_.end(), '.'));
}

const Value* OptionReader::find(const std::string& key) const {
  const auto asked = shared_->asked.insert(prefix_ + key).first;
  const auto at = shared_->values.find(*asked);
  return at == shared_->values.end() ? nullptr : &at->second;
}

bool OptionReader::has(const std::string& key) const { return find(key) != nullptr; }

void OptionReader::fail(const std::string& key, const std::string& expected) const {
  const Value* value = find(key);
  LF_FAIL("[" << shared_->where << "] " << printable(prefix_ + key)
              << (value == nullptr ? " is missing" : " is " + shown(*value)) << "; expected "
              << expected);
}

Value OptionReader::read(const Option& option) const {
  const std::string& key = option.name;
  const Value* given = find(key);
  if (given == nullptr) {
    if (option.required) fail(key, option.expected_text());
    return option.fallback;
  }
  Value value = *given;
  const Fit fit = fit_type(option, &value);
  if (fit == Fit::type) {
    throw WrongType("[" + shared_->where + "] " + printable(prefix_ + key) + " is " +
                    type_shown(value) + "; expected " + option.expected_text());
  }
  if (fit == Fit::content || !fits_content(option, value)) fail(key, option.expected_text());
  if (option.normalise && !value.none()) {
    const std::string expected = option.normalise(value);
    if (!expected.empty()) fail(key, expected);
  }
  if (!value.none()) shared_->typed.insert_or_assign(prefix_ + key, value);
  return value;
}

Values OptionReader::read(const OptionTable& table) const { return Values(*this, table); }

Options OptionReader::entries() const {
  Options out = below(shared_->values, prefix_);
  for (const auto& [key, value] : out) shared_->asked.insert(prefix_ + key);
  return out;
}

void OptionReader::check_all_used() const {
  const Options& values = shared_->values;
  for (auto at = values.lower_bound(prefix_); at != values.end(); ++at) {
    const std::string& key = at->first;
    if (key.compare(0, prefix_.size(), prefix_) != 0) break;
    if (shared_->asked.count(key) != 0) continue;
    const std::vector<std::string> known = known_beside(shared_->asked, key);
    std::string list;
    for (const std::string& name : known) list += (list.empty() ? "" : ", ") + printable(name);
    const std::string meant = nearest(key, known);
    LF_FAIL("[" << shared_->where << "] unknown key " << printable(key) << "; expected "
                << (known.empty() ? "no keys at all" : "one of " + list)
                << (meant.empty() ? "" : "; did you mean " + printable(meant) + "?"));
  }
}

Options OptionReader::typed() const { return below(shared_->typed, prefix_); }

Values::Values(OptionReader given, const OptionTable& table) : given_(std::move(given)) {
  for (const Option& option : table.rows) values_.emplace(option.name, given_.read(option));
  if (table.together != nullptr) table.together(*this);
}

const Value& Values::operator[](const std::string& name) const { return values_.at(name); }

std::string nearest(const std::string& name, const std::vector<std::string>& names) {
  if (name.size() > 100) return "";
  std::string best;
  std::size_t least = std::max<std::size_t>(1, name.size() / 4) + 1;
  for (const std::string& other : names) {
    // the number of characters to change, leave out or put in (Levenshtein), row by row
    std::vector<std::size_t> row(other.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= name.size(); ++i) {
      std::size_t before = std::exchange(row[0], i);
      for (std::size_t j = 1; j <= other.size(); ++j) {
        const std::size_t changed = before + (name[i - 1] != other[j - 1] ? 1 : 0);
        before = row[j];
        row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
      }
    }
    if (row.back() >= least) continue;
    least = row.back();
    best = other;
  }
  return best;
}

std::string one_of(const std::vector<std::string>& names) {
  std::string out = "one of ";
  for (const std::string& name : names) out += (&name == &names[0] ? "" : ", ") + in_quotes(name);
  return out;
}

}  // namespace lstmfast::base
