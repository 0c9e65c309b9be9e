// CRC-32C: known values, and the same by the CPU's instruction and by tables.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/crc32c.h"

namespace lstmfast::base {
namespace {

std::vector<unsigned char> numbers(std::size_t size) {
  std::vector<unsigned char> out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<unsigned char>(i * 167 + (i >> 3));
  return out;
}

TEST_CASE("values of RFC 3720") {
  const std::string digits = "123456789";
  const std::vector<unsigned char> zeros(32, 0), ones(32, 0xFF);
  for (const auto& sum : {&crc32c, &crc32c_by_tables}) {
    CHECK(sum(digits.data(), digits.size(), 0) == 0xE3069283u);
    CHECK(sum(zeros.data(), zeros.size(), 0) == 0x8A9136AAu);
    CHECK(sum(ones.data(), ones.size(), 0) == 0x62A8AB43u);
    CHECK(sum(nullptr, 0, 0) == 0);
  }
}

TEST_CASE("both ways agree, at every size and place, and go on where another ended") {
  const std::vector<unsigned char> bytes = numbers(80);
  for (std::size_t begin = 0; begin < 9; ++begin) {
    for (std::size_t size = 0; begin + size <= bytes.size(); ++size) {
      const unsigned char* const at = bytes.data() + begin;
      const std::uint32_t whole = crc32c(at, size);
      REQUIRE(whole == crc32c_by_tables(at, size));
      const std::size_t half = size / 3;
      REQUIRE(crc32c(at + half, size - half, crc32c(at, half)) == whole);
      REQUIRE(crc32c_by_tables(at + half, size - half, crc32c_by_tables(at, half)) == whole);
    }
  }
}

TEST_CASE("every flipped bit shows") {
  std::vector<unsigned char> bytes = numbers(300);
  const std::uint32_t whole = crc32c(bytes.data(), bytes.size());
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] = static_cast<unsigned char>(bytes[bit / 8] ^ (1u << (bit % 8)));
    REQUIRE(crc32c(bytes.data(), bytes.size()) != whole);
    bytes[bit / 8] = static_cast<unsigned char>(bytes[bit / 8] ^ (1u << (bit % 8)));
  }
}

}  // namespace
}  // namespace lstmfast::base
