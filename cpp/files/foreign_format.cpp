#include "files/foreign_format.h"

namespace lstmfast::files {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kZip = "PK\x03\x04"sv;

struct Signature {
  std::string_view begin;
  std::string_view format;
};

constexpr Signature kSignatures[] = {
    {"\x89HDF\r\n\x1a\n"sv, "an HDF5 file (.h5: a model or weights of Keras)"},
    {"\x93NUMPY"sv, "an array of NumPy (.npy)"},
    {"PK\x05\x06"sv, "an empty zip archive"},
    {"\x1f\x8b"sv, "compressed by gzip"},
    {"{"sv, "text that begins as JSON does"},
};

bool begins_with(std::string_view text, std::string_view begin) {
  return text.substr(0, begin.size()) == begin;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// Byte `at`; 0 beyond the end.
unsigned byte(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

// Goes by the name of the archive's first file, which its local header holds at byte 30.
std::string_view zip_format(std::string_view begin) {
  constexpr std::size_t kNameSize = 26, kName = 30;
  if (begin.size() < kName) return "a zip archive";
  const std::size_t size = byte(begin, kNameSize) + 256 * byte(begin, kNameSize + 1);
  const std::string_view name = begin.substr(kName, size);
  if (name == "metadata.json" || name == "config.json" || name == "model.weights.h5") {
    return "a model of Keras (.keras)";
  }
  if (ends_with(name, "data.pkl")) return "a file of torch.save (.pt, .pth)";
  if (ends_with(name, ".npy")) return "arrays of NumPy (.npz)";
  return "a zip archive";
}

// A pickle of protocol 2 or later: the protocol, then for 4 and later a frame.
bool is_pickle(std::string_view begin) {
  const unsigned protocol = byte(begin, 1);
  return byte(begin, 0) == 0x80 && protocol >= 2 && protocol <= 5 &&
         (protocol < 4 || byte(begin, 2) == 0x95);
}

// Protocol buffers of ONNX begin with field 1, a small version, and go on with a text (fields 2 to
// 6) or, where the producer has no name, with the graph (field 7).
bool is_onnx(std::string_view begin) {
  const unsigned tag = byte(begin, 2);
  return byte(begin, 0) == 0x08 && byte(begin, 1) >= 1 && byte(begin, 1) < 32 &&
         (tag == 0x12 || tag == 0x1A || tag == 0x22 || tag == 0x32 || tag == 0x3A);
}

}  // namespace

std::string_view foreign_format(std::string_view begin) {
  if (begins_with(begin, kZip)) return zip_format(begin);
  for (const Signature& one : kSignatures) {
    if (begins_with(begin, one.begin)) return one.format;
  }
  if (is_pickle(begin)) return "a pickle (lstmfast opens none: it could run any code)";
  if (is_onnx(begin)) return "a model of ONNX (.onnx)";
  return {};
}

}  // namespace lstmfast::files
