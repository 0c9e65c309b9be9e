#include "base/system_text.h"

#include <fstream>
#include <limits>

#include "base/value.h"

namespace lstmfast::base {

std::vector<std::string> read_lines(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::string read_line(const std::string& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

std::string_view trim(std::string_view text) {
  constexpr const char* kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  text = trim(text);
  index value = 0;
  if (text.empty() || text[0] == '-' || !parse(text, &value)) return std::nullopt;
  return value;
}

std::vector<int> parse_cpu_list(std::string_view text) {
  constexpr std::int64_t kMostCpus = 1 << 16;
  std::vector<int> cpus;
  text = trim(text);
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    const std::size_t dash = item.find('-');
    const auto first = parse_number(item.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_number(item.substr(dash + 1));
    if (!first || !last || *last < *first || *last >= kMostCpus) return {};
    for (std::int64_t cpu = *first; cpu <= *last; ++cpu) cpus.push_back(static_cast<int>(cpu));
  }
  return cpus;
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  text = trim(text);
  const std::size_t place = std::string_view("KMG").find(text.empty() ? '0' : text.back());
  const bool has_unit = place != std::string_view::npos;
  const std::int64_t unit = has_unit ? std::int64_t{1024} << 10 * place : 1;
  if (has_unit) text.remove_suffix(1);
  const auto value = parse_number(text);
  if (!value || *value > std::numeric_limits<std::int64_t>::max() / unit) return std::nullopt;
  return *value * unit;
}

}  // namespace lstmfast::base
