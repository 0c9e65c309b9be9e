#include "files/tensor_digest.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/text.h"

namespace lstmfast::files {
namespace {

constexpr std::string_view kAlgorithm = "crc32c:";
constexpr std::size_t kDigits = 8;

// A checksum over fields and their lengths, so that moving a boundary between fields changes it;
// the bytes are in the format's order (tensor_file.cpp). `tensors` ascending by name.
std::uint32_t header_sum(const std::vector<const TensorInfo*>& tensors, const Metadata& metadata) {
  std::uint32_t sum = 0;
  const auto add = [&](std::uint64_t number) { sum = base::crc32c(&number, sizeof number, sum); };
  const auto add_text = [&](std::string_view text) {
    add(text.size());
    sum = base::crc32c(text.data(), text.size(), sum);
  };
  add(metadata.size());
  for (const auto& [key, value] : metadata) {
    add_text(key);
    add_text(value);
  }
  for (const TensorInfo* info : tensors) {
    add_text(info->name);
    add_text(dtype_name(info->dtype));
    add(info->shape.size());
    for (const index extent : info->shape) add(static_cast<std::uint64_t>(extent));
    add(info->checksum.value());
  }
  return sum;
}

void append_hex(std::string& text, std::uint32_t value) {
  constexpr char kHex[] = "0123456789abcdef";
  for (int shift = 28; shift >= 0; shift -= 4) text += kHex[(value >> shift) & 15];
}

// Gives each tensor the checksum that `text` has for it; false where that is no digest of so many
// tensors. The checksum of the header is not read.
bool read_checksums(const std::string& text, std::vector<TensorInfo>& tensors) {
  const std::size_t begin = kAlgorithm.size() + kDigits;
  if (text.size() != begin + tensors.size() * (1 + kDigits)) return false;
  const char* at = text.data() + begin;
  for (TensorInfo& info : tensors) {
    const char* const end = at + 1 + kDigits;
    if (std::from_chars(at + 1, end, info.checksum.emplace(0), 16).ptr != end) return false;
    at = end;
  }
  return true;
}

}  // namespace

std::string digest_text(const std::vector<TensorInfo>& tensors, const Metadata& metadata) {
  std::vector<const TensorInfo*> order;
  for (const TensorInfo& info : tensors) order.push_back(&info);
  std::sort(order.begin(), order.end(),
            [](const TensorInfo* a, const TensorInfo* b) { return a->name < b->name; });
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
  const std::string given = at->second;
  LF_CHECK(read_checksums(given, header.tensors),
           where << "the digest " << base::in_quotes(given)
                 << " is damaged; expected checksums by crc32c of the header and of "
                 << header.tensors.size() << " tensors");
  header.metadata.erase(at);
  LF_CHECK(digest_text(header.tensors, header.metadata) == given,
           where << "the file is damaged: names, shapes or metadata are not those that were saved");
  return true;
}

}  // namespace lstmfast::files
