// Reads and parses the short texts of /sys and /proc; must not know their use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lstmfast::base {

// The first line of a file without its line end; empty when it cannot be read.
std::string read_line(const std::string& path);
std::vector<std::string> read_lines(const std::string& path);

std::string_view trim(std::string_view text);
// A whole decimal number without sign, surrounded by blanks at most; nothing for any other text.
std::optional<std::int64_t> parse_number(std::string_view text);
// "0-3,8" is {0, 1, 2, 3, 8}; empty when malformed.
std::vector<int> parse_cpu_list(std::string_view text);
// "48K", "2M", "512" in bytes; nothing when malformed.
std::optional<std::int64_t> parse_size(std::string_view text);

}  // namespace lstmfast::base
