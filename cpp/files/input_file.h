// A regular file, or its bytes in memory, read at any offset; knows paths and bytes, no format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/no_copy.h"

namespace lstmfast::files {

// At most so many bytes are read or written at once: some systems refuse more than 2 GiB.
constexpr std::size_t kMaxTransfer = std::size_t{1} << 30;

// Where a file's content is: on disk, or in memory of the caller's, which must stay.
struct Source {
  std::string path;             // of bytes: what errors call them
  const void* bytes = nullptr;  // null: the content is on disk
  std::size_t size = 0;

  Source(std::string path_) : path(std::move(path_)) {}
  Source(const char* path_) : path(path_) {}
  Source(const void* bytes_, std::size_t size_) : path("bytes"), bytes(bytes_), size(size_) {}
};

// Reads of one object may run concurrently. Errors of the system are std::system_error, those of
// the file itself std::invalid_argument; both start with "[load] PATH: ".
class InputFile : base::NoCopy {
 public:
  explicit InputFile(Source source);
  ~InputFile();

  std::uint64_t size() const { return size_; }  // when it was opened
  std::string where() const;                    // "[load] PATH: "

  // Copies bytes [place, place + size) to `out`; an error where the file has become shorter.
  void read(std::uint64_t place, void* out, std::uint64_t size) const;

 private:
  Source source_;
  std::uint64_t size_ = 0;
  int descriptor_ = -1;
};

}  // namespace lstmfast::files
