// Thousands of damaged tensor files: reading one works or throws, and touches no foreign memory.
// The proof is complete under AddressSanitizer.
#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "files/tensor_file.h"
#include "temp_dir.h"

namespace lstmfast::files {
namespace {

using test::read_bytes;
using test::TempDir;
using test::write_bytes;

constexpr std::size_t kDataSize = 52;  // of the file below

std::string good_file(const std::string& path) {
  const float x[] = {1, 2, 3, 4, 5, 6};
  const double y[] = {7, 8};
  write_tensor_file(path,
                    {tensor_data("kernel", {2, 3}, x), tensor_data("bias", {3}, x),
                     tensor_data("é", {2}, y), tensor_data<float>("none", {0}, nullptr)},
                    {{"layers.0.kind", "lstm"}, {"note", "line\n\"quoted\" 🎵"}});
  return read_bytes(path);
}

// Draws are made one by one, so that every compiler draws in the same order.
class Damage {
 public:
  explicit Damage(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_()) % n; }

  void edit(std::string& bytes) {
    const std::size_t at = below(bytes.size());
    const std::size_t size = 1 + below(24);
    switch (below(7)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes[at] = static_cast<char>(random_());
        break;
      case 2:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 3:
        bytes.erase(at, size);
        break;
      case 4:
        bytes.insert(at, bytes, below(bytes.size()), size);
        break;
      case 5:
        bytes.insert(at, hostile_, below(hostile_.size()), size);
        break;
      default:
        bytes.replace(at, size, hostile_, below(hostile_.size()), size);
    }
  }

  // Claims the header length that leaves the right amount of data, so that the grammar is reached.
  static void repair_length(std::string& bytes) {
    if (bytes.size() < 8 + kDataSize) return;
    const std::size_t length = bytes.size() - 8 - kDataSize;
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(length >> (8 * i));
  }

 private:
  std::mt19937 random_;
  const std::string hostile_ =
      "{{{[[[]]]}}},,::\"\"\\\\u\\ud800\\udc00 0-1+1e9null18446744073709551616\xff\xf0\x9f\xc0\xaf"
      "\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4],\"dtype\":\"F64\",__metadata__";
};

// The content of a file that a reader accepts, as text.
std::string content_of(const std::string& path) {
  const TensorFile file(path);
  std::string out;
  for (const auto& [key, value] : file.metadata()) out += key + '\0' + value + '\0';
  for (const TensorInfo& info : file.tensors()) {
    std::string bytes(static_cast<std::size_t>(info.end - info.begin), '\0');
    file.copy_bytes(info, bytes.data());
    out += info.name + '\0' + type_text(info.dtype, info.shape) + '\0' + bytes;
  }
  return out;
}

// A digest that no reader looks for, at the place of one.
std::string without_digest(std::string bytes) {
  bytes.replace(bytes.find("digest"), 6, "nobody");
  return bytes;
}

TEST_CASE("damaged files only ever throw") {
  const TempDir dir;
  const std::string path = dir.file("m");
  const std::string whole = good_file(path), content = content_of(path);
  for (const bool has_digest : {false, true}) {
    const std::string good = has_digest ? whole : without_digest(whole);
    Damage damage(20240607);  // fixed: a failure must come again
    int accepted = 0;
    int refused = 0;
    for (int round = 0; round < 6000; ++round) {
      std::string bytes = good;
      for (std::size_t edits = 1 + damage.below(3); edits > 0 && !bytes.empty(); --edits) {
        damage.edit(bytes);
      }
      if (damage.below(2) == 0) Damage::repair_length(bytes);
      std::filesystem::remove(
          path);  // some file systems flush a file that is truncated and refilled
      write_bytes(path, bytes);
      try {
        const std::string found = content_of(path);
        ++accepted;  // without a digest, damage inside a name, a value or the data is not seen
        const bool is_checked = TensorFile{path}.has_digest();
        REQUIRE((!is_checked || found == content));
      } catch (const std::invalid_argument& error) {
        ++refused;
        REQUIRE(std::string(error.what()).rfind("[load] " + path + ": ", 0) == 0);
      }
    }
    CHECK(accepted > (has_digest ? 0 : 100));
    CHECK(refused > (has_digest ? 5800 : 3000));
  }
}

TEST_CASE("every truncation is refused") {
  const TempDir dir;
  const std::string path = dir.file("m");
  const std::string good = good_file(path);
  for (std::size_t size = 0; size < good.size(); ++size) {
    std::filesystem::remove(path);
    write_bytes(path, good.substr(0, size));
    CHECK_THROWS_AS(TensorFile{path}, std::invalid_argument);
  }
}

}  // namespace
}  // namespace lstmfast::files
