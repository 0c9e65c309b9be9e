// The header of a safetensors file as text and as structs: tensor entries and metadata. Knows the
// format's rules; must not know files or models.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/plain.h"
#include "files/dtype.h"

namespace lstmfast::files {

struct TensorInfo {
  std::string name;
  DType dtype = DType::f32;
  std::vector<index> shape;
  std::uint64_t begin = 0;  // bytes of the data section, end exclusive
  std::uint64_t end = 0;
  std::optional<std::uint32_t> checksum{};  // of these bytes, where the file has a digest

  std::size_t bytes() const { return static_cast<std::size_t>(end - begin); }
  index count() const { return static_cast<index>(bytes() / dtype_size(dtype)); }
};

using Metadata = std::map<std::string, std::string>;

struct TensorHeader {
  std::vector<TensorInfo> tensors;  // ascending by name
  Metadata metadata;
};

constexpr std::uint64_t kMaxHeaderSize = 100'000'000;

// Parses the text and checks all of it: the tensors must fill exactly the `data_size` bytes after
// the header. Errors are std::invalid_argument and start with `where`.
TensorHeader parse_tensor_header(std::string_view text, std::uint64_t data_size,
                                 const std::string& where);

// Sets begin and end of the tensors, one after the other in the given order. Every tensor is
// aligned where those of large elements come first. Errors as above.
void place_tensors(std::vector<TensorInfo>& tensors, const std::string& where);

// The header's text for tensors that have their places, padded with spaces so that the data after
// it start at a multiple of 8 bytes of the file. Errors as above.
std::string format_tensor_header(const std::vector<TensorInfo>& tensors, const Metadata& metadata,
                                 const std::string& where);

}  // namespace lstmfast::files
