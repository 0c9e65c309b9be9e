// The digest in a tensor file's metadata, by which damage is found. It covers names, element types,
// shapes, bytes and metadata, but not the header's text, since another program may write the same
// content in another form. Knows headers and checksums, no files.
#pragma once

#include <string>
#include <vector>

#include "files/tensor_header.h"

namespace lstmfast::files {

constexpr char kDigestKey[] = "digest";  // of the metadata

// "crc32c:" and 8 hexadecimal digits for all but the bytes, then a comma and 8 digits for the bytes
// of each tensor, ascending by name. `tensors` have their checksums, in any order.
std::string digest_text(const std::vector<TensorInfo>& tensors, const Metadata& metadata);

// Removes the digest from the metadata and gives each tensor its checksum; false where there is no
// digest. Throws std::invalid_argument, which starts with `where`, where the digest is that of
// another header.
bool take_digest(TensorHeader& header, const std::string& where);

}  // namespace lstmfast::files
