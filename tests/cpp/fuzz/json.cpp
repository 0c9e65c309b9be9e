// The JSON scanner: any text ends it by an error or is read, and strings come back from the writer.
// Input: 1 byte for what is expected first, then the text.
#include <string>

#include "files/json_scanner.h"
#include "target.h"

using namespace lstmfast;

namespace {

// Without recursion, as the scanner is used: the depth is that of the expected grammar.
void read_value(files::JsonScanner& json, unsigned kinds, int depth) {
  const unsigned kind = kinds & 3;
  if (kind == 0 || depth == 3) {
    json.integer();
  } else if (kind == 1) {
    const std::string text = json.string();
    std::string written;
    files::append_json_string(written, text);
    fuzz::require(files::JsonScanner(written, "fuzz: ").string() == text, "strings come back");
  } else if (kind == 2) {
    json.array([&] { read_value(json, kinds >> 2, depth + 1); });
  } else {
    json.object([&](const std::string&) { read_value(json, kinds >> 2, depth + 1); });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  files::JsonScanner json(fuzz::text_of(data + 1, size - 1), "fuzz: ");
  fuzz::accepts([&] {
    read_value(json, data[0], 0);
    json.expect_end();
  });
  return 0;
}
