#include "files/json_scanner.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "base/check.h"
#include "base/text.h"

namespace lstmfast::files {
namespace {

// `code` is a Unicode scalar value: at most 0x10FFFF and no surrogate.
void append_utf8(std::string& out, std::uint32_t code) {
  constexpr std::uint32_t kLead[] = {0, 0xC0, 0xE0, 0xF0};  // by the number of bytes after it
  const int more = (code >= 0x80) + (code >= 0x800) + (code >= 0x10000);
  out += static_cast<char>(kLead[more] | (code >> (6 * more)));
  for (int i = more; i-- > 0;) out += static_cast<char>(0x80 | ((code >> (6 * i)) & 0x3F));
}

// What an escape of one character stands for.
constexpr std::string_view kEscapes = "\"\\/bfnrt", kEscaped = "\"\\/\b\f\n\r\t";

// ASCII that a string holds without an escape.
bool is_plain(char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; }

}  // namespace

void JsonScanner::fail(const std::string& what) const {
  LF_FAIL(where_ << "header byte " << at_ << ": " << what);
}

void JsonScanner::fail_expected(const std::string& wanted) const {
  const bool at_end = at_ >= text_.size();
  fail("expected " + wanted + ", got " +
       (at_end ? "the header's end" : "'" + base::printable(text_.substr(at_, 1)) + "'"));
}

void JsonScanner::skip_space() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') break;
    ++at_;
  }
}

bool JsonScanner::take(char wanted) {
  skip_space();
  if (at_ == text_.size() || text_[at_] != wanted) return false;
  ++at_;
  return true;
}

void JsonScanner::expect(char wanted) {
  if (!take(wanted)) fail_expected(std::string("'") + wanted + "'");
}

void JsonScanner::expect_end() {
  while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  if (at_ != text_.size()) fail_expected("only spaces after the object");
}

std::uint64_t JsonScanner::integer() {
  skip_space();
  const char* const begin = text_.data() + at_;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
  if (end == begin) fail_expected("an integer of 0 or more");
  if (error != std::errc()) fail("the integer does not fit 64 bits");
  if (*begin == '0' && end - begin > 1) fail("the integer has a leading zero");
  at_ += static_cast<std::size_t>(end - begin);
  return value;
}

std::string JsonScanner::string() {
  expect('"');
  std::string out;
  while (true) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_plain(text_[at_])) ++at_;
    out.append(text_, begin, at_ - begin);
    if (at_ == text_.size()) fail("the string is not closed");
    const char c = text_[at_];
    if (c == '"') break;
    if (c == '\\') {
      append_escape(out);
      continue;
    }
    if (static_cast<unsigned char>(c) < 0x20) fail("control character inside a string");
    const char* here = text_.data() + at_;
    const int length = base::utf8_length(here, text_.data() + text_.size());
    if (length == 0) fail("invalid UTF-8 inside a string");
    out.append(here, static_cast<std::size_t>(length));
    at_ += static_cast<std::size_t>(length);
  }
  ++at_;
  return out;
}

void JsonScanner::append_escape(std::string& out) {
  ++at_;
  if (at_ == text_.size()) fail("the string is not closed");
  if (text_[at_] != 'u') {
    const auto i = kEscapes.find(text_[at_]);
    if (i == std::string_view::npos) fail_expected("an escape of JSON");
    out += kEscaped[i];
    ++at_;
    return;
  }
  ++at_;
  std::uint32_t code = hex4();
  if (code >= 0xDC00 && code <= 0xDFFF) fail("low surrogate without a high one");
  if (code >= 0xD800 && code <= 0xDBFF) {
    if (text_.substr(at_, 2) != "\\u") fail("high surrogate without a low one");
    at_ += 2;
    const std::uint32_t low = hex4();
    if (low < 0xDC00 || low > 0xDFFF) fail("high surrogate without a low one");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  append_utf8(out, code);
}

std::uint32_t JsonScanner::hex4() {
  const char* const begin = text_.data() + at_;
  const char* const end = begin + std::min<std::size_t>(4, text_.size() - at_);
  std::uint32_t value = 0;
  const std::size_t digits =
      static_cast<std::size_t>(std::from_chars(begin, end, value, 16).ptr - begin);
  at_ += digits;
  if (digits < 4) fail_expected("a hexadecimal digit");
  return value;
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (const auto i = kEscaped.find(c); i != std::string_view::npos && c != '/') {
      out += {'\\', kEscapes[i]};
    } else if (byte >= 0x20) {
      out += c;
    } else {
      out += {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  out += '"';
}

}  // namespace lstmfast::files
