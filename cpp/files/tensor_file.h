// Reader and writer of safetensors files: named tensors and text metadata in one file. Must not
// know what the tensors mean.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/plain.h"
#include "files/atomic_file.h"
#include "files/dtype.h"
#include "files/input_file.h"
#include "files/tensor_header.h"

namespace lstmfast::files {

// An open file whose header was read and checked. Data are read by copy() into the caller's memory,
// whose size never depends on the file. Wrong content is std::invalid_argument, a refusal of the
// system std::system_error; the text starts with "[load] PATH: ". Copies out of one object may run
// concurrently. Where the file has a digest, any damage to what is read is an error, after which
// the bytes of the copy are invalid.
class TensorFile {
 public:
  explicit TensorFile(const Source& source);

  const std::vector<TensorInfo>& tensors() const { return header_.tensors; }  // by name
  const Metadata& metadata() const { return header_.metadata; }               // without the digest
  bool has_digest() const { return has_digest_; }

  const TensorInfo& at(std::string_view name) const;  // an error when absent
  // An error when absent, of another type or of another shape.
  const TensorInfo& check(std::string_view name, DType dtype,
                          const std::vector<index>& shape) const;

  // Copies the whole tensor to `out`, which has room for `shape`; dtype and shape must match.
  template <class T>
  void copy(std::string_view name, const std::vector<index>& shape, T* out) const {
    copy_bytes(check(name, dtype_of<T>(), shape), out);
  }

  // Copies the end - begin bytes of one of tensors(), whatever its dtype.
  void copy_bytes(const TensorInfo& info, void* out) const;

  // For errors about the file's content: "[load] PATH: ".
  std::string where() const { return file_.where(); }

 private:
  InputFile file_;
  std::uint64_t data_begin_ = 0;  // place of the data section in the file
  TensorHeader header_;
  bool has_digest_ = false;
};

// One tensor to write; `data` is the caller's, in row-major order.
struct TensorData {
  std::string name;
  DType dtype = DType::f32;
  std::vector<index> shape;
  const void* data = nullptr;
};

template <class T>
TensorData tensor_data(std::string name, std::vector<index> shape, const T* data) {
  return {std::move(name), dtype_of<T>(), std::move(shape), data};
}

// Writes the file at once and atomically, with a digest; the bytes depend on the content alone, not
// on the order of `tensors`. Impossible content is std::invalid_argument, found before anything is
// written; a refusal of the system is std::system_error; the text starts with "[save] PATH: ".
void write_tensor_file(const std::string& path, std::vector<TensorData> tensors, Metadata metadata,
                       Existing existing = Existing::replace);

}  // namespace lstmfast::files
