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

std::string joined(const Extents& extents, const char* between, const char* any) {
  std::string out;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    if (i > 0) out += between;
    out += extents[i] == kAnyExtent ? any : std::to_string(extents[i]);
  }
  return out;
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
  value->clear();
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    index extent = kAnyExtent;
    if (item != "?" && (!parse(item, &extent) || extent < 0)) return false;
    value->push_back(extent);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) return false;
  }
  return true;
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
      return std::isnan(value.number()) ? "nan" : number_text(value.number());
    case Value::Kind::extents:
      return "(" + joined(value.extents(), ", ", "None") +
             (value.extents().size() == 1 ? ",)" : ")");
    case Value::Kind::foreign:
      return value.foreign().text;
    case Value::Kind::integer:
      return std::to_string(value.integer());
    default:
      return in_quotes(file_text(value));
  }
}

std::string type_shown(const Value& value) {
  constexpr const char* kTypes[] = {"None",        "of type bool",  "of type int", "of type float",
                                    "of type str", "of type tuple", "of type str"};
  if (value.kind() == Value::Kind::foreign) return value.foreign().text;
  return kTypes[static_cast<int>(value.kind())];
}

}  // namespace lstmfast::base
