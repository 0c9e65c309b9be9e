// The strings of a header in JSON: every escape, and every wrong one.
#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

#include "files/json_scanner.h"

namespace lstmfast::files {
namespace {

TEST_CASE("strings: escapes, UTF-8, and what is neither") {
  // The scanner keeps a view, hence one string for each call.
  const auto parse = [](const std::string& text) {
    const std::string json = "\"" + text + "\"";
    return JsonScanner(json, "").string();
  };
  CHECK(parse("") == "");
  CHECK(parse(R"(\" \\ \/ \b\f\n\r\t)") == "\" \\ / \b\f\n\r\t");
  CHECK(parse(R"(\u0041\u00e9\u20AC\ud83c\udfb5)") == "Aé€🎵");
  CHECK(parse(R"(\u0000)") == std::string(1, '\0'));
  CHECK(parse("é€🎵\x7f") == "é€🎵\x7f");
  const char* bad[] = {R"(\x41)",
                       R"(\u12)",
                       R"(\u12g4)",
                       R"(\ud83c)",
                       R"(\ud83cx)",
                       R"(\ud83c\n)",
                       R"(\ud83c\u0041)",
                       R"(\udfb5)",
                       R"(\ud83c\ud83c)",
                       R"(\)",
                       "\n",
                       "\x1f",
                       "\x80",
                       "\xc3",
                       "\xc3(",
                       "\xc0\xaf",
                       "\xe0\x80\xaf",
                       "\xed\xa0\x80",
                       "\xf0\x80\x80\xaf",
                       "\xf4\x90\x80\x80",
                       "\xf8\x88\x80\x80\x80",
                       "\xe2\x82",
                       "\xfe"};
  for (const char* text : bad) {
    CAPTURE(std::string(text));
    CHECK_THROWS_AS(parse(text), std::invalid_argument);
  }
  CHECK_THROWS_AS(JsonScanner("\"open", "").string(), std::invalid_argument);
  CHECK_THROWS_AS(JsonScanner("\"open\\", "").string(), std::invalid_argument);

  std::string every;
  for (int c = 0; c < 128; ++c) every += static_cast<char>(c);
  std::string json;
  append_json_string(json, every + "é🎵");
  CHECK(JsonScanner(json, "").string() == every + "é🎵");
}

}  // namespace
}  // namespace lstmfast::files
