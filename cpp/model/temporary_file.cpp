#include "model/temporary_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <utility>

namespace lstmfast::model {
namespace {

constexpr std::string_view kPrefix = ".lstmfast-";
constexpr std::string_view kSuffix = ".tmp";

// A name that no other save of this process takes; another process's is refused by O_EXCL.
std::string new_name(const std::string& directory) {
  static std::atomic<unsigned> counter{0};
  return directory + std::string(kPrefix) + std::to_string(::getpid()) + "-" +
         std::to_string(counter++) + std::string(kSuffix);
}

bool is_temporary(std::string_view name) {
  return name.size() > kPrefix.size() + kSuffix.size() &&
         name.substr(0, kPrefix.size()) == kPrefix &&
         name.substr(name.size() - kSuffix.size()) == kSuffix;
}

// Only file systems without locks fail at this, and there remove_leftovers() removes nothing.
void lock(int descriptor) {
  while (::flock(descriptor, LOCK_EX) != 0 && errno == EINTR) {
  }
}

// Whether `name` in the directory still is the open file.
bool still_names(int directory, const char* name, const struct stat& open_file) {
  struct stat status;
  return ::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         status.st_dev == open_file.st_dev && status.st_ino == open_file.st_ino;
}

void remove_if_left(int directory, const char* name) {
  const int file = ::openat(directory, name, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) return;
  struct stat status;
  if (::fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
      ::flock(file, LOCK_EX | LOCK_NB) == 0 && still_names(directory, name, status)) {
    ::unlinkat(directory, name, 0);
  }
  ::close(file);
}

}  // namespace

TemporaryFile::TemporaryFile(std::string directory, unsigned mode, bool named)
    : directory_(std::move(directory)) {
  if (named || !open_unnamed(mode)) open_named(mode);
}

TemporaryFile::~TemporaryFile() {
  const int error = errno;
  if (!name_.empty()) ::unlink(name_.c_str());
  if (descriptor_ >= 0) ::close(descriptor_);
  errno = error;
}

std::string TemporaryFile::door() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

bool TemporaryFile::open_unnamed(unsigned mode) {
#ifdef O_TMPFILE
  descriptor_ =
      ::open(directory_.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, static_cast<mode_t>(mode));
  if (descriptor_ < 0) return false;
  if (::access(door().c_str(), F_OK) == 0) {
    lock(descriptor_);
    return true;
  }
  ::close(std::exchange(descriptor_, -1));  // without /proc it could get no name
#else
  static_cast<void>(mode);
#endif
  return false;
}

void TemporaryFile::open_named(unsigned mode) {
  while (true) {
    std::string name = new_name(directory_);
    descriptor_ =
        ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, static_cast<mode_t>(mode));
    if (descriptor_ < 0 && (errno == EEXIST || errno == EINTR)) continue;
    if (descriptor_ < 0) return;
    lock(descriptor_);
    // between open and lock it may have been taken for a leftover
    struct stat status;
    if (::fstat(descriptor_, &status) != 0 || status.st_nlink > 0) {
      name_ = std::move(name);
      return;
    }
    ::close(std::exchange(descriptor_, -1));
  }
}

int TemporaryFile::give_name() {
  while (true) {
    std::string name = new_name(directory_);
    if (::linkat(AT_FDCWD, door().c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      name_ = std::move(name);
      return 0;
    }
    if (errno != EEXIST) return errno;
  }
}

int TemporaryFile::replace(const std::string& target) {
  if (name_.empty()) {
    // most files are new: these need no second name
    const int error = place_new(target);
    if (error != EEXIST) return error;
    if (const int failed = give_name()) return failed;
  }
  if (std::rename(name_.c_str(), target.c_str()) != 0) return errno;
  name_.clear();
  return 0;
}

int TemporaryFile::place_new(const std::string& target) {
  const std::string from = name_.empty() ? door() : name_;
  const int flags = name_.empty() ? AT_SYMLINK_FOLLOW : 0;
  if (::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, target.c_str(), flags) == 0) {
    if (!name_.empty()) ::unlink(name_.c_str());
    name_.clear();
    return 0;
  }
  const bool no_links = errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS;
  if (name_.empty() || !no_links) return errno;
  // A file system without links: an empty file holds the name until the whole one replaces it.
  const int claim = ::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (claim < 0) return errno;
  ::close(claim);
  const int error = replace(target);
  if (error != 0) ::unlink(target.c_str());
  return error;
}

void remove_leftovers(const std::string& directory) noexcept {
  DIR* const entries = ::opendir(directory.c_str());
  if (entries == nullptr) return;
  while (const struct dirent* const entry = ::readdir(entries)) {
    if (is_temporary(entry->d_name)) remove_if_left(::dirfd(entries), entry->d_name);
  }
  ::closedir(entries);
}

}  // namespace lstmfast::model
