#include "files/tensor_file.h"

#include <algorithm>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/text.h"
#include "files/foreign_format.h"
#include "files/tensor_digest.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the format is little-endian; on this machine the data would need swapping"
#endif

namespace lstmfast::files {
namespace {

constexpr std::uint64_t kLengthSize = 8;         // bytes of the header's length, little-endian
constexpr std::uint64_t kCheckedPart = 1 << 18;  // bytes read at a time: cached for the checksum
constexpr std::size_t kMaxListed = 8;

std::string list_names(const std::vector<TensorInfo>& tensors) {
  if (tensors.empty()) return "none";
  std::string out;
  for (std::size_t i = 0; i < tensors.size() && i < kMaxListed; ++i) {
    out += (i == 0 ? "" : ", ") + base::in_quotes(tensors[i].name);
  }
  return tensors.size() > kMaxListed ? out + ", ..." : out;
}

// Throws for a file that cannot begin with a header; the text names its format, where it is known.
[[noreturn]] void fail_format(const InputFile& file, const std::string& what) {
  char begin[kForeignPrefix];
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), sizeof begin));
  file.read(0, begin, size);
  const std::string_view format = foreign_format({begin, size});
  LF_CHECK(format.empty(), file.where() << "is " << format << "; expected a safetensors file");
  LF_FAIL(file.where() << what);
}

}  // namespace

TensorFile::TensorFile(const Source& source) : file_(source) {
  if (file_.size() < kLengthSize) {
    fail_format(file_, "the file has " + std::to_string(file_.size()) +
                           " bytes; expected at least 8 (not a safetensors file)");
  }
  std::uint64_t length = 0;
  file_.read(0, &length, kLengthSize);
  const std::uint64_t rest = file_.size() - kLengthSize;
  const std::uint64_t limit = std::min(rest, kMaxHeaderSize);
  if (length > limit) {
    fail_format(file_, "the header claims " + std::to_string(length) + " bytes; expected at most " +
                           std::to_string(limit) + " (truncated, or not a safetensors file)");
  }
  std::string text(static_cast<std::size_t>(length), '\0');
  file_.read(kLengthSize, text.data(), length);
  header_ = parse_tensor_header(text, rest - length, where());
  has_digest_ = take_digest(header_, where());
  data_begin_ = kLengthSize + length;
}

const TensorInfo& TensorFile::at(std::string_view name) const {
  const auto at = std::lower_bound(
      header_.tensors.begin(), header_.tensors.end(), name,
      [](const TensorInfo& info, std::string_view wanted) { return info.name < wanted; });
  LF_CHECK(at != header_.tensors.end() && at->name == name,
           where() << "has no tensor " << base::in_quotes(name) << "; it holds "
                   << list_names(header_.tensors));
  return *at;
}

const TensorInfo& TensorFile::check(std::string_view name, DType dtype,
                                    const std::vector<index>& shape) const {
  const TensorInfo& info = at(name);
  const bool fits = info.dtype == dtype && info.shape == shape;
  LF_CHECK(fits, where() << "tensor " << base::in_quotes(name) << " is "
                         << type_text(info.dtype, info.shape) << "; expected "
                         << type_text(dtype, shape));
  return info;
}

void TensorFile::copy_bytes(const TensorInfo& info, void* out) const {
  auto* const to = static_cast<char*>(out);
  const std::uint64_t size = info.end - info.begin;
  std::uint32_t sum = 0;
  for (std::uint64_t done = 0; done < size;) {
    const std::uint64_t part = std::min(size - done, kCheckedPart);
    file_.read(data_begin_ + info.begin + done, to + done, part);
    if (info.checksum) sum = base::crc32c(to + done, static_cast<std::size_t>(part), sum);
    done += part;
  }
  LF_CHECK(!info.checksum || sum == *info.checksum,
           where() << "tensor " << base::in_quotes(info.name)
                   << " is damaged: its bytes are not those that were saved");
}

void write_tensor_file(const std::string& path, std::vector<TensorData> tensors, Metadata metadata,
                       Existing existing) {
  const std::string where = "[save] " + base::printable(path) + ": ";
  std::sort(tensors.begin(), tensors.end(), [](const TensorData& a, const TensorData& b) {
    return a.dtype != b.dtype ? a.dtype > b.dtype : a.name < b.name;
  });
  std::vector<TensorInfo> entries;
  for (const TensorData& tensor : tensors) {
    entries.push_back({tensor.name, tensor.dtype, tensor.shape, 0, 0});
  }
  place_tensors(entries, where);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    TensorInfo& entry = entries[i];
    LF_CHECK(tensors[i].data != nullptr || entry.begin == entry.end,
             where << "tensor " << base::in_quotes(entry.name) << " has no data");
    entry.checksum = base::crc32c(tensors[i].data, entry.bytes());
  }
  LF_CHECK(metadata.count(kDigestKey) == 0,
           where << "no metadata entry may be named " << base::in_quotes(kDigestKey));
  metadata[kDigestKey] = digest_text(entries, metadata);
  const std::string header = format_tensor_header(entries, metadata, where);
  const std::uint64_t length = header.size();

  AtomicFile file(path, existing);
  file.write(&length, kLengthSize);
  file.write(header.data(), header.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) file.write(tensors[i].data, entries[i].bytes());
  file.commit();
}

}  // namespace lstmfast::files
