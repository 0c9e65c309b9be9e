#include "model/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace lstmfast::model {
namespace {

// Some systems refuse more than 2 GiB in one call.
constexpr std::size_t kMaxChunk = std::size_t{1} << 30;
constexpr unsigned kPermissions = 0777;

// A name that no other save of this process takes; another process's is refused by O_EXCL.
std::string temporary_name() {
  static std::atomic<unsigned> counter{0};
  return ".lstmfast-" + std::to_string(::getpid()) + "-" + std::to_string(counter++) + ".tmp";
}

// Owner and group as before where the system allows it; the content matters more than either.
void keep_owner(int descriptor, const struct stat& old) {
  if (::fchown(descriptor, old.st_uid, old.st_gid) == 0) return;
  if (::fchown(descriptor, static_cast<uid_t>(-1), old.st_gid) != 0) errno = 0;
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  LF_CHECK(
      !path_.empty() && path_.find('\0') == std::string::npos,
      "[save] " << base::printable(path_) << ": the path is empty or contains a NUL character");
  // A link that leads nowhere is replaced like any name that does not exist.
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path_.c_str(), nullptr), std::free);
  if (!real && errno != ENOENT) fail(errno, "cannot write");
  target_ = real ? real.get() : path_;
  const std::size_t slash = target_.rfind('/');
  directory_ = slash == std::string::npos ? "." : target_.substr(0, slash + 1);

  struct stat old;
  if (!real || ::stat(target_.c_str(), &old) != 0) {
    create_temporary(0666);
    return;
  }
  if (S_ISDIR(old.st_mode)) fail(EISDIR, "cannot write");
  LF_CHECK(S_ISREG(old.st_mode), "[save] " << base::printable(path_) << ": is not a regular file");
  // A rename needs no right to write the file itself, yet whoever took that right meant it.
  if (::faccessat(AT_FDCWD, target_.c_str(), W_OK, AT_EACCESS) != 0) fail(errno, "cannot write");
  const unsigned mode = static_cast<unsigned>(old.st_mode) & kPermissions;
  create_temporary(mode);
  keep_owner(descriptor_, old);
  if (::fchmod(descriptor_, static_cast<mode_t>(mode)) != 0) {
    const int error = errno;
    discard();
    fail(error, "cannot keep the file's permissions");
  }
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::create_temporary(unsigned mode) {
  const std::string base = directory_.back() == '/' ? directory_ : directory_ + "/";
  do {
    temporary_ = base + temporary_name();
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                         static_cast<mode_t>(mode));
  } while (descriptor_ < 0 && (errno == EEXIST || errno == EINTR));
  if (descriptor_ >= 0) return;
  temporary_.clear();
  fail(errno, "cannot create a file in its directory");
}

void AtomicFile::write(const void* data, std::size_t size) {
  const auto* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t done = ::write(descriptor_, from, std::min(size, kMaxChunk));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail(errno, "cannot write");
    from += done;
    size -= static_cast<std::size_t>(done);
  }
}

void AtomicFile::commit() {
  int error = 0;
  while (::fsync(descriptor_) != 0) {
    error = errno;
    if (error != EINTR) fail(error, "cannot write to disk");
  }
  // Network file systems may report a failed write only here. The number is free even then.
  if (::close(std::exchange(descriptor_, -1)) != 0 && errno != EINTR) {
    fail(errno, "cannot write to disk");
  }
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0) fail(errno, "cannot replace");
  temporary_.clear();
  sync_directory();
}

void AtomicFile::sync_directory() {
  // The new file is in place; what remains is that the rename survives a power cut. Directories
  // that cannot be opened or synced by their nature are left to the system.
  const int directory = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return;
  const int error = ::fsync(directory) != 0 ? errno : 0;
  ::close(directory);
  if (error == EIO || error == ENOSPC || error == EDQUOT) {
    fail(error, "replaced, but the directory could not be synced");
  }
}

void AtomicFile::discard() noexcept {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  temporary_.clear();
}

void AtomicFile::fail(int error, const std::string& what) const {
  throw std::system_error(error, std::generic_category(),
                          "[save] " + base::printable(path_) + ": " + what);
}

}  // namespace lstmfast::model
