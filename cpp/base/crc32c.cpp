#include "base/crc32c.h"

#include <array>
#include <cstring>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace lstmfast::base {
namespace {

constexpr std::size_t kWord = 8;  // bytes that both versions take at a time

std::uint64_t load_word(const unsigned char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, kWord);
  return word;
}

// Row k holds the checksum of each byte followed by k zero bytes, so that the rows' entries for the
// eight bytes of a word add up (by xor) to the checksum of the word.
using Tables = std::array<std::array<std::uint32_t, 256>, kWord>;

constexpr Tables make_tables() {
  constexpr std::uint32_t kReflected = 0x82F63B78;
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kReflected : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t row = 1; row < kWord; ++row) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t crc = tables[row - 1][byte];
      tables[row][byte] = (crc >> 8) ^ tables[0][crc & 0xFF];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

struct ByTables {
  static std::uint32_t word(std::uint32_t crc, std::uint64_t word) {
    word ^= crc;
    crc = 0;
    for (std::size_t i = 0; i < kWord; ++i) crc ^= kTables[kWord - 1 - i][(word >> (8 * i)) & 0xFF];
    return crc;
  }
  static std::uint32_t byte(std::uint32_t crc, unsigned char byte) {
    return (crc >> 8) ^ kTables[0][(crc ^ byte) & 0xFF];
  }
};

#if defined(__SSE4_2__)
struct Fastest {
  static std::uint32_t word(std::uint32_t crc, std::uint64_t word) {
    return static_cast<std::uint32_t>(_mm_crc32_u64(crc, word));
  }
  static std::uint32_t byte(std::uint32_t crc, unsigned char byte) {
    return _mm_crc32_u8(crc, byte);
  }
};
#elif defined(__ARM_FEATURE_CRC32)
struct Fastest {
  static std::uint32_t word(std::uint32_t crc, std::uint64_t word) { return __crc32cd(crc, word); }
  static std::uint32_t byte(std::uint32_t crc, unsigned char byte) { return __crc32cb(crc, byte); }
};
#else
using Fastest = ByTables;
#endif

template <class Way>
std::uint32_t run(const void* data, std::size_t size, std::uint32_t before) {
  const auto* at = static_cast<const unsigned char*>(data);
  std::uint32_t crc = ~before;
  for (; size >= kWord; at += kWord, size -= kWord) crc = Way::word(crc, load_word(at));
  for (; size > 0; ++at, --size) crc = Way::byte(crc, *at);
  return ~crc;
}

}  // namespace

std::uint32_t crc32c(const void* data, std::size_t size, std::uint32_t before) {
  return run<Fastest>(data, size, before);
}

std::uint32_t crc32c_by_tables(const void* data, std::size_t size, std::uint32_t before) {
  return run<ByTables>(data, size, before);
}

}  // namespace lstmfast::base
