#include "base/value.h"

#include <charconv>
#include <cmath>
#include <iomanip>
#include <limits>
#include <locale>
#include <sstream>

#include "base/text.h"

namespace lstmfast::base {
namespace {

// The items' texts with something between them.
template <class Item, class F>
std::string joined(const std::vector<Item>& items, const char* between, F text) {
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) out += (i > 0 ? between : "") + text(items[i]);
  return out;
}

std::string joined(const Extents& extents, const char* between, const char* any) {
  return joined(extents, between, [any](index extent) {
    return extent == kAnyExtent ? std::string(any) : std::to_string(extent);
  });
}

// Appends what `item` makes of each text between commas; false where it fails.
template <class Item, class F>
bool parse_items(std::string_view text, std::vector<Item>* value, F item) {
  value->clear();
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    if (!item(text.substr(0, comma), &value->emplace_back())) return false;
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) return false;
  }
  return true;
}

std::string shown_number(double value) { return std::isnan(value) ? "nan" : number_text(value); }

std::string in_brackets(std::string items, std::size_t count) {
  return "(" + std::move(items) + (count == 1 ? ",)" : ")");
}

}  // namespace

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
std::string number_text(double value) {
  char text[32];  // the shortest text of a double has at most 24 characters
  const auto [stop, error] = std::to_chars(text, text + sizeof text, value);
  return std::string(text, error == std::errc() ? stop : text);
}
#else
// Standard libraries whose from_chars and to_chars know no floating point yet (GCC before 11).
bool parse(std::string_view text, double* value) {
  std::istringstream in{std::string(text)};
  in.imbue(std::locale::classic());
  in >> std::noskipws >> *value;
  return !in.fail() && in.peek() == std::istringstream::traits_type::eof() && text[0] != '+';
}
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

bool parse(std::string_view text, bool* value) {
  *value = text == "true";
  return *value || text == "false";
}

bool parse(std::string_view text, Extents* value) {
  return parse_items(text, value, [](std::string_view item, index* extent) {
    *extent = kAnyExtent;
    return item == "?" || (parse(item, extent) && *extent >= 0);
  });
}

bool parse(std::string_view text, Numbers* value) {
  return parse_items(text, value,
                     [](std::string_view item, double* number) { return parse(item, number); });
}

std::string file_text(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::flag:
      return value.flag() ? "true" : "false";
    case Value::Kind::integer:
      return std::to_string(value.integer());
    case Value::Kind::number:
      return number_text(value.number());
    case Value::Kind::text:
      return value.text();
    case Value::Kind::extents:
      return joined(value.extents(), ",", "?");
    case Value::Kind::numbers:
      return joined(value.numbers(), ",", number_text);
    case Value::Kind::file:
      return value.file();
    default:
      return "";
  }
}

Texts to_texts(const Options& options) {
  Texts out;
  for (const auto& [key, value] : options) {
    if (!value.none()) out.emplace(key, file_text(value));
  }
  return out;
}

Options from_texts(const Texts& texts) {
  Options out;
  for (const auto& [key, text] : texts) out.emplace(key, FileText{text});
  return out;
}

std::string shown(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::none:
      return "None";
    case Value::Kind::flag:
      return value.flag() ? "True" : "False";
    case Value::Kind::number:
      return shown_number(value.number());
    case Value::Kind::extents:
      return in_brackets(joined(value.extents(), ", ", "None"), value.extents().size());
    case Value::Kind::numbers:
      return in_brackets(joined(value.numbers(), ", ", shown_number), value.numbers().size());
    case Value::Kind::foreign:
      return value.foreign().text;
    case Value::Kind::integer:
      return std::to_string(value.integer());
    default:
      return in_quotes(file_text(value));
  }
}

std::string type_shown(const Value& value) {
  constexpr const char* kTypes[] = {"None",          "of type bool", "of type int",
                                    "of type float", "of type str",  "of type tuple",
                                    "of type tuple", "of type str"};
  if (value.kind() == Value::Kind::foreign) return value.foreign().text;
  return kTypes[static_cast<int>(value.kind())];
}

}  // namespace lstmfast::base
