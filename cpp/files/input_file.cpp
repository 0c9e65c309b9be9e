#include "files/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace lstmfast::files {
namespace {

[[noreturn]] void fail_system(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

}  // namespace

InputFile::InputFile(Source source) : source_(std::move(source)), size_(source_.size) {
  if (source_.bytes != nullptr) return;
  const std::string& path = source_.path;
  LF_CHECK(path.find('\0') == std::string::npos, where() << "the path contains a NUL character");
  // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
  do {
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  } while (descriptor_ < 0 && errno == EINTR);
  if (descriptor_ < 0) fail_system(errno, where() + "cannot open");

  struct stat status;
  const int error = ::fstat(descriptor_, &status) != 0 ? errno
                    : S_ISDIR(status.st_mode)          ? EISDIR
                                                       : 0;
  if (error == 0 && S_ISREG(status.st_mode)) {
    size_ = static_cast<std::uint64_t>(status.st_size);
    return;
  }
  ::close(descriptor_);
  if (error != 0) fail_system(error, where() + "cannot read");
  LF_FAIL(where() << "is not a regular file");
}

InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::string InputFile::where() const { return "[load] " + base::printable(source_.path) + ": "; }

void InputFile::read(std::uint64_t place, void* out, std::uint64_t size) const {
  auto* to = static_cast<char*>(out);
  if (source_.bytes != nullptr) {
    LF_ASSERT(place <= size_ && size <= size_ - place);
    if (size > 0) std::memcpy(to, static_cast<const char*>(source_.bytes) + place, size);
    return;
  }
  while (size > 0) {
    const auto chunk = static_cast<std::size_t>(std::min<std::uint64_t>(size, kMaxTransfer));
    const ssize_t got = ::pread(descriptor_, to, chunk, static_cast<off_t>(place));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_system(errno, where() + "cannot read");
    LF_CHECK(got > 0, where() << "the file ended while it was being read");
    to += got;
    place += static_cast<std::uint64_t>(got);
    size -= static_cast<std::uint64_t>(got);
  }
}

}  // namespace lstmfast::files
