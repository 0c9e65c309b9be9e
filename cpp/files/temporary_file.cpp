#include "files/temporary_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <utility>

#include "base/crc32c.h"

namespace lstmfast::files {
namespace {

constexpr std::string_view kSuffix = ".tmp";

constexpr int kMaxTries = 100;               // of names; only a broken system refuses more
constexpr std::size_t kCopyBytes = 1 << 16;  // at a time
constexpr unsigned kPermissions = 0777;

// The prefix of the names that this host gives until it restarts. On network file systems a lock
// may hold on one host only, so that a file that another host is writing would look like a
// leftover.
std::array<char, 32> host_prefix() noexcept {
  char text[256] = {};
  ssize_t size = -1;
  if (const int file = ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC); file >= 0) {
    size = ::read(file, text, sizeof text);
    ::close(file);
  }
  if (size <= 0) size = ::gethostname(text, sizeof text) == 0 ? sizeof text : 0;
  std::array<char, 32> out{};
  const auto number = static_cast<unsigned>(base::crc32c(text, static_cast<std::size_t>(size)));
  std::snprintf(out.data(), out.size(), ".lstmfast-%08x-", number);
  return out;
}

// A name that no other save of this process takes; another process's is refused by O_EXCL.
std::string new_name(const std::string& directory) {
  static std::atomic<unsigned> counter{0};
  return directory + host_prefix().data() + std::to_string(::getpid()) + "-" +
         std::to_string(counter++) + std::string(kSuffix);
}

bool is_temporary(std::string_view name, std::string_view prefix) {
  return name.size() > prefix.size() + kSuffix.size() && name.substr(0, prefix.size()) == prefix &&
         name.substr(name.size() - kSuffix.size()) == kSuffix;
}

// Only file systems without locks fail at this, and there remove_leftovers() removes nothing.
void lock(int descriptor) {
  while (::flock(descriptor, LOCK_EX) != 0 && errno == EINTR) {
  }
}

// Whether `name` in the directory is still the open file.
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

// 0, or an error number.
int copy_content(int from, int to) {
  char bytes[kCopyBytes];
  for (off_t at = 0;;) {
    const ssize_t size = ::pread(from, bytes, sizeof bytes, at);
    if (size == 0) return 0;
    if (size < 0 && errno != EINTR) return errno;
    for (ssize_t done = 0; done < size;) {
      const ssize_t part = ::write(to, bytes + done, static_cast<std::size_t>(size - done));
      if (part < 0 && errno != EINTR) return errno;
      if (part > 0) done += part;
    }
    if (size > 0) at += size;
  }
}

// A directory with so many entries takes about 0.4 ms, less than syncing a file.
constexpr std::size_t kLarge = 1000;
constexpr std::uint32_t kPause = 60;  // seconds

// The large directory that was searched last and the time, in one number: this needs no lock, which
// a fork could leave locked.
std::atomic<std::uint64_t> large_search{0};

}  // namespace

TemporaryFile::TemporaryFile(std::string directory, unsigned mode, const FileSystem& system)
    : directory_(std::move(directory)), system_(system) {
  if (!system_.nameless_files || !open_unnamed(mode)) open_named(mode);
}

TemporaryFile::~TemporaryFile() {
  const int error = errno;
  if (!name_.empty()) ::unlink(name_.c_str());
  if (descriptor_ >= 0) ::close(descriptor_);
  errno = error;
}

std::string TemporaryFile::descriptor_path() const {
  return "/proc/self/fd/" + std::to_string(descriptor_);
}

bool TemporaryFile::open_unnamed(unsigned mode) {
#ifdef O_TMPFILE
  descriptor_ =
      ::open(directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, static_cast<mode_t>(mode));
  if (descriptor_ < 0) return false;
  if (::access(descriptor_path().c_str(), F_OK) == 0) {
    lock(descriptor_);
    return true;
  }
  ::close(std::exchange(descriptor_, -1));  // without /proc it could get no name
#else
  static_cast<void>(mode);
#endif
  return false;
}

// Tries new names while make(name) returns EEXIST, and returns its last result; 0: the file has the
// name.
template <class Make>
int TemporaryFile::take_name(Make make) {
  int error = EEXIST;
  for (int tries = 0; tries < kMaxTries && error == EEXIST; ++tries) {
    std::string name = new_name(directory_);
    error = make(name);
    if (error == 0) name_ = std::move(name);
  }
  return error;
}

void TemporaryFile::open_named(unsigned mode) {
  errno = take_name([&](const std::string& name) {
    descriptor_ =
        ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, static_cast<mode_t>(mode));
    if (descriptor_ < 0) return errno == EINTR ? EEXIST : errno;
    lock(descriptor_);
    // Between open and lock another process may have removed it as a leftover. The number of links
    // does not show that: some file systems count none.
    struct stat status;
    if (system_.status(descriptor_, &status) != 0 || still_names(AT_FDCWD, name.c_str(), status)) {
      return 0;
    }
    ::unlink(name.c_str());
    ::close(std::exchange(descriptor_, -1));
    return EEXIST;
  });
}

int TemporaryFile::take_attributes(const struct stat& other) {
  // without owner or group, the content is still worth saving
  if (::fchown(descriptor_, other.st_uid, other.st_gid) != 0 &&
      ::fchown(descriptor_, static_cast<uid_t>(-1), other.st_gid) != 0) {
    errno = 0;
  }
  return ::fchmod(descriptor_, other.st_mode & kPermissions) == 0 ? 0 : errno;
}

int TemporaryFile::sync() {
  while (::fsync(descriptor_) != 0) {
    if (errno != EINTR) return errno;
  }
  // Some network file systems report a failed write only when a descriptor is closed. A second one
  // keeps the lock, without which the file would be taken for a leftover.
  const int second = ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
  if (second < 0) return errno;
  return system_.close(second) == 0 || errno == EINTR ? 0 : errno;
}

// Gives the file its first name, or another in place of its own.
int TemporaryFile::link_to(const std::string& target) {
  const std::string from = name_.empty() ? descriptor_path() : name_;
  const int flags = name_.empty() ? AT_SYMLINK_FOLLOW : 0;
  if (system_.link(AT_FDCWD, from.c_str(), AT_FDCWD, target.c_str(), flags) != 0) return errno;
  if (!name_.empty()) ::unlink(name_.c_str());
  name_.clear();
  return 0;
}

int TemporaryFile::move_to_named() {
  struct stat status;
  if (::fstat(descriptor_, &status) != 0) return errno;
  FileSystem system = system_;
  system.nameless_files = false;
  TemporaryFile named(directory_, 0600, system);
  if (named.descriptor_ < 0) return errno;
  if (const int error = copy_content(descriptor_, named.descriptor_)) return error;
  if (const int error = named.take_attributes(status)) return error;
  if (const int error = named.sync()) return error;
  std::swap(descriptor_, named.descriptor_);
  name_.swap(named.name_);
  return 0;
}

int TemporaryFile::replace(const std::string& target) {
  if (name_.empty()) {
    // most targets do not exist yet: these files need no name of their own
    int error = link_to(target);
    if (error == 0) return 0;
    if (error == EEXIST)
      error = take_name([this](const std::string& name) { return link_to(name); });
    if (error != 0) error = move_to_named();
    if (error != 0) return error;
  }
  if (std::rename(name_.c_str(), target.c_str()) != 0) return errno;
  name_.clear();
  return 0;
}

int TemporaryFile::place_new(const std::string& target) {
  int error = link_to(target);
  if (error == 0 || error == EEXIST) return error;
  if (name_.empty()) {
    // Refused by security rules (SELinux, AppArmor, seccomp): a file with a name may be linked.
    error = move_to_named();
    return error != 0 ? error : place_new(target);
  }
  const bool no_links = error == EPERM || error == EACCES || error == EOPNOTSUPP || error == ENOSYS;
  if (!no_links) return error;
  // A file system without links: an empty file takes the name until the whole one replaces it.
  const int claim = ::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (claim < 0) return errno;
  ::close(claim);
  error = replace(target);
  if (error != 0) ::unlink(target.c_str());
  return error;
}

void remove_leftovers(const std::string& directory, unsigned now) noexcept {
  const std::uint64_t key = std::uint64_t{base::crc32c(directory.data(), directory.size())} << 32;
  const std::uint64_t last = large_search.load(std::memory_order_relaxed);
  const std::uint32_t passed = now - static_cast<std::uint32_t>(last);
  if (last != 0 && last >> 32 == key >> 32 && passed < kPause) return;
  DIR* const entries = ::opendir(directory.c_str());
  if (entries == nullptr) return;
  const auto prefix = host_prefix();
  std::size_t count = 0;
  while (const struct dirent* const entry = ::readdir(entries)) {
    ++count;
    if (is_temporary(entry->d_name, prefix.data())) remove_if_left(::dirfd(entries), entry->d_name);
  }
  ::closedir(entries);
  if (count >= kLarge) large_search.store(key | now, std::memory_order_relaxed);
}

}  // namespace lstmfast::files
