// A regular file opened for reading at any offset; knows paths and bytes, no format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/no_copy.h"

namespace lstmfast::files {

// At most so many bytes are read or written at once: some systems refuse more than 2 GiB.
constexpr std::size_t kMaxTransfer = std::size_t{1} << 30;

// Reads of one object may run concurrently. Errors of the system are std::system_error, those of
// the file itself std::invalid_argument; both start with "[load] PATH: ".
class InputFile : base::NoCopy {
 public:
  explicit InputFile(std::string path);
  ~InputFile();

  std::uint64_t size() const { return size_; }  // when it was opened
  std::string where() const;                    // "[load] PATH: "

  // Copies bytes [place, place + size) to `out`; an error where the file has become shorter.
  void read(std::uint64_t place, void* out, std::uint64_t size) const;

 private:
  std::string path_;
  std::uint64_t size_ = 0;
  int descriptor_ = -1;
};

}  // namespace lstmfast::files
