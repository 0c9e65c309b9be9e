#include "base/flat_config.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iomanip>
#include <locale>
#include <set>
#include <sstream>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace lstmfast::base {
namespace {

// The whole of `text` as a number; false when it is none or does not fit.
bool parse(std::string_view text, index* value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *value);
  return error == std::errc() && stop == end;
}

#if defined(__cpp_lib_to_chars)
bool parse(std::string_view text, double* value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *value);
  return error == std::errc() && stop == end;
}
#else
// Standard libraries whose from_chars and to_chars know no floating point yet (GCC before 11).
bool parse(std::string_view text, double* value) {
  std::istringstream in{std::string(text)};
  in.imbue(std::locale::classic());
  in >> std::noskipws >> *value;
  return !in.fail() && in.peek() == std::istringstream::traits_type::eof() && text[0] != '+';
}
#endif

bool parse_extents(std::string_view text, std::vector<index>* shape) {
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    index extent = kAnyExtent;
    if (item != "?" && (!parse(item, &extent) || extent < 1 || extent > kMaxInteger)) return false;
    shape->push_back(extent);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) return false;
  }
  return true;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string expected_integer(index low, index high) {
  return "an integer from " + std::to_string(low) + " to " + std::to_string(high);
}

std::string expected_number(double low, double high) {
  if (low == FlatConfig::kLowest && high == FlatConfig::kHighest) return "a finite number";
  if (high == FlatConfig::kHighest) return "a finite number of at least " + number_text(low);
  if (low == FlatConfig::kLowest) return "a finite number of at most " + number_text(high);
  return "a number from " + number_text(low) + " to " + number_text(high);
}

std::string expected_choice(const std::vector<std::string>& names) {
  std::string out = "one of ";
  for (const std::string& name : names) out += (&name == &names[0] ? "" : ", ") + in_quotes(name);
  return out;
}

constexpr const char* kExpectedFlag = "\"true\" or \"false\"";

// The keys of the level of `key` that were asked for, cut after that level; where there are none,
// those of the nearest level above.
std::string known_beside(const std::set<std::string>& asked, const std::string& key) {
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
  std::string out;
  for (const std::string& name : known) out += (out.empty() ? "" : ", ") + printable(name);
  return out.empty() ? "no keys at all" : "one of " + out;
}

}  // namespace

// One for a configuration and all its parts.
struct FlatConfig::Shared {
  Map values;
  std::string subject;
  std::set<std::string> asked;  // whole keys, present or not
};

FlatConfig::FlatConfig(Map values, std::string subject)
    : shared_(std::make_shared<Shared>(Shared{std::move(values), std::move(subject), {}})) {}

FlatConfig::FlatConfig(std::shared_ptr<Shared> shared, std::string prefix)
    : shared_(std::move(shared)), prefix_(std::move(prefix)) {}

FlatConfig FlatConfig::part(const std::string& prefix) const {
  return FlatConfig(shared_, prefix_ + prefix + ".");
}

const std::string* FlatConfig::find(const std::string& key) const {
  const auto asked = shared_->asked.insert(prefix_ + key).first;
  const auto at = shared_->values.find(*asked);
  return at == shared_->values.end() ? nullptr : &at->second;
}

const std::string& FlatConfig::need(const std::string& key, const std::string& expected) const {
  const std::string* value = find(key);
  if (value == nullptr) fail(key, expected);
  return *value;
}

void FlatConfig::fail(const std::string& key, const std::string& expected) const {
  const std::string* value = find(key);
  LF_FAIL("[" << shared_->subject << "] " << printable(prefix_ + key)
              << (value == nullptr ? " is missing" : " is " + in_quotes(*value)) << "; expected "
              << expected);
}

bool FlatConfig::has(const std::string& key) const { return find(key) != nullptr; }

std::string FlatConfig::text(const std::string& key) const { return need(key, "a text"); }

std::string FlatConfig::text_or(const std::string& key, const std::string& fallback) const {
  return has(key) ? text(key) : fallback;
}

std::string FlatConfig::choice(const std::string& key,
                               const std::vector<std::string>& names) const {
  const std::string* value = find(key);
  if (value == nullptr || !contains(names, *value)) fail(key, expected_choice(names));
  return *value;
}

std::string FlatConfig::choice_or(const std::string& key, const std::vector<std::string>& names,
                                  const std::string& fallback) const {
  return has(key) ? choice(key, names) : fallback;
}

std::string FlatConfig::choice_with_numbers_or(const std::string& key,
                                               const std::vector<std::string>& names,
                                               const std::string& fallback,
                                               std::vector<double>* numbers) const {
  numbers->clear();
  const std::string* value = find(key);
  if (value == nullptr) return fallback;
  std::size_t colon = value->find(':');
  const std::string name = value->substr(0, colon);
  if (!contains(names, name)) fail(key, expected_choice(names));
  while (colon != std::string::npos) {
    const std::size_t next = value->find(':', colon + 1);
    const std::string item = value->substr(colon + 1, next - colon - 1);
    double number = 0;
    if (item.empty() || !parse(item, &number) || !std::isfinite(number)) {
      fail(key, "finite numbers behind the colons");
    }
    numbers->push_back(number);
    colon = next;
  }
  return name;
}

index FlatConfig::integer(const std::string& key, index low, index high) const {
  const std::string expected = expected_integer(low, high);
  index value = 0;
  if (!parse(need(key, expected), &value) || value < low || value > high) fail(key, expected);
  return value;
}

index FlatConfig::integer_or(const std::string& key, index fallback, index low, index high) const {
  return has(key) ? integer(key, low, high) : fallback;
}

double FlatConfig::number(const std::string& key, double low, double high) const {
  const std::string expected = expected_number(low, high);
  double value = 0;
  const bool is_number = parse(need(key, expected), &value) && std::isfinite(value);
  if (!is_number || value < low || value > high) fail(key, expected);
  return value;
}

double FlatConfig::number_or(const std::string& key, double fallback, double low,
                             double high) const {
  return has(key) ? number(key, low, high) : fallback;
}

bool FlatConfig::flag(const std::string& key) const {
  const std::string& value = need(key, kExpectedFlag);
  if (value != "true" && value != "false") fail(key, kExpectedFlag);
  return value == "true";
}

bool FlatConfig::flag_or(const std::string& key, bool fallback) const {
  return has(key) ? flag(key) : fallback;
}

std::vector<index> FlatConfig::shape(const std::string& key) const {
  const char* const expected = "extents such as \"3,1\" or \"?,1\"";
  std::vector<index> shape;
  if (!parse_extents(need(key, expected), &shape)) fail(key, expected);
  return shape;
}

FlatConfig::Map FlatConfig::entries() const {
  Map out;
  const Map& values = shared_->values;
  for (auto at = values.lower_bound(prefix_); at != values.end(); ++at) {
    if (at->first.compare(0, prefix_.size(), prefix_) != 0) break;
    shared_->asked.insert(at->first);
    out.emplace(at->first.substr(prefix_.size()), at->second);
  }
  return out;
}

void FlatConfig::check_all_used() const {
  const Map& values = shared_->values;
  for (auto at = values.lower_bound(prefix_); at != values.end(); ++at) {
    const std::string& key = at->first;
    if (key.compare(0, prefix_.size(), prefix_) != 0) break;
    LF_CHECK(shared_->asked.count(key) != 0, "[" << shared_->subject << "] unknown key "
                                                 << printable(key) << "; expected "
                                                 << known_beside(shared_->asked, key));
  }
}

std::string integer_text(index value) { return std::to_string(value); }

#if defined(__cpp_lib_to_chars)
std::string number_text(double value) {
  char text[32];  // the shortest text of a double has at most 24 characters
  const auto [stop, error] = std::to_chars(text, text + sizeof text, value);
  return std::string(text, error == std::errc() ? stop : text);
}
#else
std::string number_text(double value) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  double back = 0;
  for (int digits = 15; digits <= std::numeric_limits<double>::max_digits10; ++digits) {
    out.str("");
    out << std::setprecision(digits) << value;
    if (parse(out.str(), &back) && back == value) break;
  }
  return out.str();
}
#endif

std::string flag_text(bool value) { return value ? "true" : "false"; }

std::string extents_text(const std::vector<index>& shape) {
  std::string out;
  for (const index extent : shape) {
    if (!out.empty()) out += ',';
    out += extent == kAnyExtent ? "?" : std::to_string(extent);
  }
  return out;
}

}  // namespace lstmfast::base
