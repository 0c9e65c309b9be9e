#include "files/save_target.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/check.h"

#if defined(__linux__)
#include <linux/magic.h>
#include <sys/vfs.h>
#endif

namespace lstmfast::files {
namespace {

using std::filesystem::path;

constexpr int kMaxLinks = 40;  // as in Linux

[[noreturn]] void fail(int error, const std::string& where) {
  throw std::system_error(error, std::generic_category(), where + "cannot write");
}

// "." for a name in the working directory.
path directory_of(const path& file) {
  return file.has_parent_path() ? file.parent_path() : path(".");
}

// Links in /proc lead to open files, whatever path they show.
bool in_proc(const path& directory) {
#if defined(__linux__)
  struct statfs status;
  return ::statfs(directory.c_str(), &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
#else
  return directory == "/dev/fd";
#endif
}

// open() refuses this too (fs.protected_symlinks): in a directory such as /tmp, a link of another
// user would choose which of the caller's files is replaced.
void check_link(const struct stat& link, const path& directory, const std::string& where) {
  struct stat parent;
  if (::stat(directory.c_str(), &parent) != 0) fail(errno, where);
  const bool anyone_may_link = (parent.st_mode & S_ISVTX) != 0 && (parent.st_mode & S_IWOTH) != 0;
  const bool trusted = link.st_uid == ::geteuid() || link.st_uid == parent.st_uid;
  if (anyone_may_link && !trusted) fail(EACCES, where);
}

}  // namespace

SaveTarget find_target(const std::string& given, const std::string& where) {
  SaveTarget target;
  path at = given;
  std::error_code error;
  for (int links = 0;; ++links) {
    if (::lstat(at.c_str(), &target.status) != 0) {
      if (errno != ENOENT) fail(errno, where);
      break;
    }
    const mode_t mode = target.status.st_mode;
    if (S_ISDIR(mode)) fail(EISDIR, where);
    LF_CHECK(!S_ISBLK(mode), where << "is a block device; expected a file, a pipe or a terminal");
    const path directory = directory_of(at);
    if (in_proc(directory) || (!S_ISREG(mode) && !S_ISLNK(mode))) {
      target.kind = SaveTarget::Kind::stream;
      target.path = given;
      return target;
    }
    if (S_ISREG(mode)) {
      target.kind = SaveTarget::Kind::regular;
      break;
    }
    if (links == kMaxLinks) fail(ELOOP, where);
    check_link(target.status, directory, where);
    at = directory / std::filesystem::read_symlink(at, error);  // an absolute one stands alone
    if (error) fail(error.value(), where);
  }
  target.directory = std::filesystem::canonical(directory_of(at), error) / "";
  if (error) fail(error.value(), where);
  target.path = target.directory + at.filename().string();
  return target;
}

}  // namespace lstmfast::files
