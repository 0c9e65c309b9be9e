// Reads JSON text token by token for callers that know its grammar, without recursion and without
// a document tree; knows objects, arrays, strings and unsigned integers, and nothing of tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace lstmfast::files {

// Every error is a std::invalid_argument that starts with `where` and names the byte.
class JsonScanner {
 public:
  // `text` must outlive the scanner.
  JsonScanner(std::string_view text, std::string where) : text_(text), where_(std::move(where)) {}

  // Calls on_member(key) for every member; on_member reads the value and judges duplicates.
  template <class OnMember>
  void object(OnMember on_member) {
    expect('{');
    if (take('}')) return;
    do {
      std::string key = string();
      expect(':');
      on_member(std::move(key));
    } while (take(','));
    expect('}');
  }

  // Calls on_item() for every item; on_item reads it.
  template <class OnItem>
  void array(OnItem on_item) {
    expect('[');
    if (take(']')) return;
    do {
      on_item();
    } while (take(','));
    expect(']');
  }

  // The string's characters as valid UTF-8, escapes resolved.
  std::string string();

  // Digits only, no leading zero, at most 64 bits: no sign, fraction or exponent.
  std::uint64_t integer();

  // Only spaces may follow.
  void expect_end();

  [[noreturn]] void fail(const std::string& what) const;

 private:
  void skip_space();
  bool take(char wanted);
  void expect(char wanted);
  void append_escape(std::string& out);
  std::uint32_t hex4();
  [[noreturn]] void fail_expected(const std::string& wanted) const;

  std::string_view text_;
  std::string where_;
  std::size_t at_ = 0;
};

// Appends `text`, which must be valid UTF-8, as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

}  // namespace lstmfast::files
