#include "base/text.h"

#include <cstddef>

namespace lstmfast::base {
namespace {

constexpr std::size_t kMaxQuoted = 80;

}  // namespace

int utf8_length(const char* at, const char* end) {
  const auto byte = [at](int i) { return static_cast<unsigned char>(at[i]); };
  if (at >= end) return 0;
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const int length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (end - at < length) return 0;
  for (int i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // The second byte rules out overlong forms, surrogates and what lies beyond U+10FFFF.
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

std::string printable(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    const int length = utf8_length(at, end);
    const auto lead = static_cast<unsigned char>(*at);
    if (length == 0 || lead < 0x20 || lead == 0x7F) {
      out += {'\\', 'x', kHex[lead >> 4], kHex[lead & 15]};
      ++at;
    } else {
      out.append(at, static_cast<std::size_t>(length));
      at += length;
    }
  }
  return out;
}

std::string in_quotes(std::string_view text) {
  if (text.size() <= kMaxQuoted) return '"' + printable(text) + '"';
  std::size_t cut = kMaxQuoted;
  while (cut > kMaxQuoted - 4 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
  return '"' + printable(text.substr(0, cut)) + "...\"";
}

}  // namespace lstmfast::base
