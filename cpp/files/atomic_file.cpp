#include "files/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "files/input_file.h"

namespace lstmfast::files {
namespace {

unsigned seconds_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<unsigned>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

// Throws where the call is to end.
void after_signal() {
  if (base::Interrupt* const interrupt = base::Interrupt::current()) interrupt->look_now();
}

}  // namespace

AtomicFile::AtomicFile(std::string path, Existing existing)
    : path_(std::move(path)),
      where_("[save] " + base::printable(path_) + ": "),
      existing_(existing) {
  LF_CHECK(!path_.empty() && path_.find('\0') == std::string::npos,
           where_ << "the path is empty or contains a NUL character");
  target_ = find_target(path_, where_);
  const bool exists = target_.kind != SaveTarget::Kind::missing;
  if (exists && existing == Existing::refuse) fail(EEXIST, "cannot write");
  if (target_.kind == SaveTarget::Kind::stream) {
    open_stream();
  } else {
    open_temporary();
  }
}

AtomicFile::~AtomicFile() {
  if (stream_ >= 0) ::close(stream_);
}

void AtomicFile::open_stream() {
  // appending: /dev/stdout may lead to a file that holds something already
  while ((stream_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY)) < 0) {
    if (errno != EINTR) fail(errno, "cannot write");
    after_signal();
  }
}

void AtomicFile::open_temporary() {
  if (target_.kind == SaveTarget::Kind::missing) {
    temporary_.emplace(target_.directory, 0666);
    if (descriptor() < 0) fail(errno, "cannot create a file in its directory");
    return;
  }
  // A rename needs no right to write the file itself, but a read-only file should stay.
  if (::faccessat(AT_FDCWD, target_.path.c_str(), W_OK, AT_EACCESS) != 0) {
    fail(errno, "cannot write");
  }
  temporary_.emplace(target_.directory, target_.status.st_mode & 0777);
  if (descriptor() < 0) fail(errno, "cannot create a file in its directory");
  const int error = temporary_->take_attributes(target_.status);
  if (error != 0) fail(error, "cannot keep the file's permissions");
}

void AtomicFile::write(const void* data, std::size_t size) {
  const auto* from = static_cast<const char*>(data);
  while (size > 0) {
    const std::size_t wanted = std::min(size, kMaxTransfer);
    const ssize_t result = ::write(descriptor(), from, wanted);
    if (result < 0 && errno != EINTR) fail(errno, "cannot write");
    const std::size_t done = result < 0 ? 0 : static_cast<std::size_t>(result);
    from += done;
    size -= done;
    // a signal may also be the reason of a short write
    if (done < wanted && !temporary_) after_signal();
  }
}

void AtomicFile::commit() {
  if (!temporary_) {
    if (::close(std::exchange(stream_, -1)) != 0 && errno != EINTR) fail(errno, "cannot write");
    return;
  }
  int error = temporary_->sync();
  if (error != 0) fail(error, "cannot write to disk");
  error = existing_ == Existing::refuse ? temporary_->place_new(target_.path)
                                        : temporary_->replace(target_.path);
  if (error != 0) fail(error, existing_ == Existing::refuse ? "cannot write" : "cannot replace");
  temporary_.reset();
  sync_directory();
  remove_leftovers(target_.directory, seconds_now());
}

void AtomicFile::sync_directory() {
  // The new file is in place; this makes the rename survive a power cut. Directories that cannot be
  // opened or synced by their nature are left to the system.
  const int directory = ::open(target_.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return;
  const int error = ::fsync(directory) != 0 ? errno : 0;
  ::close(directory);
  if (error == EIO || error == ENOSPC || error == EDQUOT) {
    fail(error, "replaced, but the directory could not be synced");
  }
}

void AtomicFile::fail(int error, const std::string& what) const {
  throw std::system_error(error, std::generic_category(), where_ + what);
}

}  // namespace lstmfast::files
