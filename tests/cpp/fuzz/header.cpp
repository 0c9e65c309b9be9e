// The header reader of tensor files: what it takes, the writer writes so that it is taken alike.
// Input: 2 bytes for the size of the data, then the header's text.
#include <string>

#include "files/tensor_digest.h"
#include "files/tensor_header.h"
#include "target.h"

using namespace lstmfast;

namespace {

bool same(const files::TensorHeader& a, const files::TensorHeader& b) {
  if (a.metadata != b.metadata || a.tensors.size() != b.tensors.size()) return false;
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    const files::TensorInfo &x = a.tensors[i], &y = b.tensors[i];
    if (x.name != y.name || x.dtype != y.dtype || x.shape != y.shape) return false;
    if (x.begin != y.begin || x.end != y.end) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::uint64_t data_size = data[0] + 256u * data[1];
  const std::string_view text = fuzz::text_of(data + 2, size - 2);
  files::TensorHeader header;
  if (!fuzz::accepts([&] { header = files::parse_tensor_header(text, data_size, "fuzz: "); })) {
    return 0;
  }
  std::uint64_t sum = 0;
  for (const files::TensorInfo& info : header.tensors) {
    sum += info.end - info.begin;
    fuzz::require(info.end <= data_size && info.begin <= info.end, "tensors lie in the data");
  }
  fuzz::require(sum == data_size, "tensors fill the data");
  const std::string written =
      files::format_tensor_header(header.tensors, header.metadata, "fuzz: ");
  fuzz::require(same(header, files::parse_tensor_header(written, data_size, "fuzz: ")),
                "what was read is written and read alike");
  fuzz::accepts([&] { files::take_digest(header, "fuzz: "); });
  return 0;
}
