#include "files/tensor_digest.h"

#include <algorithm>
#include <string_view>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/text.h"

namespace lstmfast::files {
namespace {

constexpr std::string_view kAlgorithm = "crc32c:";
constexpr std::size_t kDigits = 8;

// A checksum over fields and their lengths, so that moving a boundary between fields changes it.
class FieldSum {
 public:
  void add(std::uint64_t number) {
    unsigned char bytes[8];
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<unsigned char>(number >> (8 * i));
    sum_ = base::crc32c(bytes, sizeof bytes, sum_);
  }
  void add(std::string_view text) {
    add(static_cast<std::uint64_t>(text.size()));
    sum_ = base::crc32c(text.data(), text.size(), sum_);
  }
  std::uint32_t value() const { return sum_; }

 private:
  std::uint32_t sum_ = 0;
};

// `tensors` ascending by name.
std::uint32_t header_sum(const std::vector<const TensorInfo*>& tensors, const Metadata& metadata) {
  FieldSum sum;
  sum.add(static_cast<std::uint64_t>(metadata.size()));
  for (const auto& [key, value] : metadata) {
    sum.add(key);
    sum.add(value);
  }
  for (const TensorInfo* info : tensors) {
    sum.add(info->name);
    sum.add(dtype_name(info->dtype));
    sum.add(static_cast<std::uint64_t>(info->shape.size()));
    for (const index extent : info->shape) sum.add(static_cast<std::uint64_t>(extent));
    sum.add(std::uint64_t{info->checksum.value()});
  }
  return sum.value();
}

void append_hex(std::string& text, std::uint32_t value) {
  constexpr char kHex[] = "0123456789abcdef";
  for (int shift = 28; shift >= 0; shift -= 4) text += kHex[(value >> shift) & 15];
}

// *value: the 8 digits at the beginning of `text`; false where these are no digits.
bool parse_hex(std::string_view text, std::uint32_t* value) {
  if (text.size() < kDigits) return false;
  *value = 0;
  for (const char c : text.substr(0, kDigits)) {
    const bool decimal = c >= '0' && c <= '9';
    if (!decimal && !(c >= 'a' && c <= 'f')) return false;
    *value = *value * 16 + static_cast<std::uint32_t>(decimal ? c - '0' : c - 'a' + 10);
  }
  return true;
}

// Reads the checksums of the header and of each tensor; false where `text` is no digest of that
// many tensors.
bool parse_digest(std::string_view text, std::uint32_t* of_header,
                  std::vector<TensorInfo>& tensors) {
  if (text.substr(0, kAlgorithm.size()) != kAlgorithm) return false;
  text.remove_prefix(kAlgorithm.size());
  if (text.size() != kDigits + tensors.size() * (kDigits + 1) || !parse_hex(text, of_header)) {
    return false;
  }
  text.remove_prefix(kDigits);
  for (TensorInfo& info : tensors) {
    std::uint32_t sum = 0;
    if (text.front() != ',' || !parse_hex(text.substr(1), &sum)) return false;
    info.checksum = sum;
    text.remove_prefix(kDigits + 1);
  }
  return true;
}

std::vector<const TensorInfo*> by_name(const std::vector<TensorInfo>& tensors) {
  std::vector<const TensorInfo*> out;
  out.reserve(tensors.size());
  for (const TensorInfo& info : tensors) out.push_back(&info);
  std::sort(out.begin(), out.end(),
            [](const TensorInfo* a, const TensorInfo* b) { return a->name < b->name; });
  return out;
}

}  // namespace

std::string digest_text(const std::vector<TensorInfo>& tensors, const Metadata& metadata) {
  const std::vector<const TensorInfo*> order = by_name(tensors);
  std::string text(kAlgorithm);
  append_hex(text, header_sum(order, metadata));
  for (const TensorInfo* info : order) {
    text += ',';
    append_hex(text, info->checksum.value());
  }
  return text;
}

bool take_digest(TensorHeader& header, const std::string& where) {
  const auto at = header.metadata.find(kDigestKey);
  if (at == header.metadata.end()) return false;
  std::uint32_t expected = 0;
  LF_CHECK(parse_digest(at->second, &expected, header.tensors),
           where << "the digest " << base::in_quotes(at->second)
                 << " is damaged; expected checksums by crc32c of the header and of "
                 << header.tensors.size() << " tensors");
  header.metadata.erase(at);
  LF_CHECK(header_sum(by_name(header.tensors), header.metadata) == expected,
           where << "the file is damaged: names, shapes or metadata are not those that were saved");
  return true;
}

}  // namespace lstmfast::files
