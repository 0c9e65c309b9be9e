// Foreign text (names, paths, values) made safe for messages and files; knows no format and no
// model.
#pragma once

#include <string>
#include <string_view>

namespace lstmfast::base {

// Bytes of the valid UTF-8 sequence that starts at `at`, 1 to 4; 0 when there is none before `end`.
int utf8_length(const char* at, const char* end);

// `text` as valid UTF-8 on one line: bytes that are not, and control characters, become \xNN.
std::string printable(std::string_view text);

// `text` printable, in double quotes and cut after about 80 bytes: for values from outside.
std::string in_quotes(std::string_view text);

}  // namespace lstmfast::base
