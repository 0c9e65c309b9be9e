// One value of an option: its kinds, its text in files, and how errors show it. Must not know what
// any option means.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/plain.h"

namespace lstmfast::base {

using Extents = std::vector<index>;
using Numbers = std::vector<double>;
using Texts = std::map<std::string, std::string>;

constexpr index kAnyExtent = -1;           // None in a shape, "?" in a file
constexpr index kMaxInteger = 2147483647;  // the upper bound of what counts something

// A text from a file: the kind of the option that it is for says what it means.
struct FileText {
  std::string text;
  bool operator==(const FileText& other) const { return text == other.text; }
};

// What a caller gave that no option takes as it is.
struct Foreign {
  std::string text;      // "of type list", or digits
  bool integer = false;  // an integer beyond index: `number` is its value, if need be infinite
  bool content = false;  // of the right type, but with a content that no option takes
  double number = 0;
  bool operator==(const Foreign& other) const { return text == other.text; }
};

class Value {
 public:
  enum class Kind { none, flag, integer, number, text, extents, numbers, file, foreign };

  Value() = default;
  Value(bool value) : data_(value) {}
  template <class I, std::enable_if_t<std::is_integral_v<I> && !std::is_same_v<I, bool>, int> = 0>
  Value(I value) : data_(static_cast<index>(value)) {}
  Value(double value) : data_(value) {}
  Value(const char* value) : data_(std::string(value)) {}
  Value(std::string value) : data_(std::move(value)) {}
  Value(Extents value) : data_(std::move(value)) {}
  Value(Numbers value) : data_(std::move(value)) {}
  Value(FileText value) : data_(std::move(value)) {}
  Value(Foreign value) : data_(std::move(value)) {}

  Kind kind() const { return static_cast<Kind>(data_.index()); }
  bool none() const { return kind() == Kind::none; }

  // Each of its kind alone, but an integer is a number too.
  bool flag() const { return std::get<bool>(data_); }
  index integer() const { return std::get<index>(data_); }
  double number() const {
    const index* whole = std::get_if<index>(&data_);
    return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(data_);
  }
  const std::string& text() const { return std::get<std::string>(data_); }
  const Extents& extents() const { return std::get<Extents>(data_); }
  const Numbers& numbers() const { return std::get<Numbers>(data_); }
  const std::string& file() const { return std::get<FileText>(data_).text; }
  const Foreign& foreign() const { return std::get<Foreign>(data_); }

  // f(what it holds); std::monostate where that is none.
  template <class F>
  decltype(auto) visit(F&& f) const {
    return std::visit(f, data_);
  }

  bool operator==(const Value& other) const { return data_ == other.data_; }
  bool operator!=(const Value& other) const { return !(*this == other); }

 private:
  std::variant<std::monostate, bool, index, double, std::string, Extents, Numbers, FileText,
               Foreign>
      data_;
};

using Options = std::map<std::string, Value>;  // by flat dotted keys

// Values as files hold them, without those that are none, and back: a double keeps all its bits.
std::string file_text(const Value& value);
Texts to_texts(const Options& options);
Options from_texts(const Texts& texts);

// In errors: "2", "True", "\"gru\""; and "of type int" where the type itself is wrong.
std::string shown(const Value& value);
std::string type_shown(const Value& value);

// The whole of `text` as a value; false when it is none or does not fit. Alike in every locale.
bool parse(std::string_view text, index* value);
bool parse(std::string_view text, double* value);
bool parse(std::string_view text, bool* value);     // "true", "false"
bool parse(std::string_view text, Extents* value);  // "3,1", "?,1"; "" has no extents
bool parse(std::string_view text, Numbers* value);  // "0.5,1"; "" has no numbers

std::string number_text(double value);  // finite, the shortest that parse() reads back

}  // namespace lstmfast::base
