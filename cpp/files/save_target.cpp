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

constexpr int kMaxLinks = 40;  // as in Linux

[[noreturn]] void fail(int error, const std::string& where) {
  throw std::system_error(error, std::generic_category(), where + "cannot write");
}

// With its slash; "" for a name in the working directory.
std::string directory_part(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

std::string name_part(const std::string& path) { return path.substr(directory_part(path).size()); }

// Links in /proc lead to open files, whatever path they show.
bool in_proc(const std::string& directory) {
#if defined(__linux__)
  struct statfs status;
  return ::statfs(directory.empty() ? "." : directory.c_str(), &status) == 0 &&
         status.f_type == PROC_SUPER_MAGIC;
#else
  return directory == "/dev/fd/";
#endif
}

std::string read_link(const std::string& path, const std::string& where) {
  std::error_code error;
  std::string out = std::filesystem::read_symlink(path, error).string();
  if (error) fail(error.value(), where);
  return out;
}

// open() refuses this too (fs.protected_symlinks): in a directory such as /tmp, a link of another
// user would choose which of the caller's files is replaced.
void check_link(const struct stat& link, const std::string& directory, const std::string& where) {
  struct stat parent;
  if (::stat(directory.empty() ? "." : directory.c_str(), &parent) != 0) fail(errno, where);
  const bool anyone_may_link = (parent.st_mode & S_ISVTX) != 0 && (parent.st_mode & S_IWOTH) != 0;
  const bool trusted = link.st_uid == ::geteuid() || link.st_uid == parent.st_uid;
  if (anyone_may_link && !trusted) fail(EACCES, where);
}

std::string absolute_directory(const std::string& directory, const std::string& where) {
  std::error_code error;
  std::string out = std::filesystem::canonical(directory.empty() ? "." : directory, error).string();
  if (error) fail(error.value(), where);
  if (out.back() != '/') out += '/';
  return out;
}

}  // namespace

SaveTarget find_target(const std::string& path, const std::string& where) {
  SaveTarget target;
  std::string at = path;
  for (int links = 0;; ++links) {
    if (::lstat(at.c_str(), &target.status) != 0) {
      if (errno != ENOENT) fail(errno, where);
      break;
    }
    const mode_t mode = target.status.st_mode;
    if (S_ISDIR(mode)) fail(EISDIR, where);
    LF_CHECK(!S_ISBLK(mode), where << "is a block device; expected a file, a pipe or a terminal");
    const std::string directory = directory_part(at);
    if (in_proc(directory) || (!S_ISREG(mode) && !S_ISLNK(mode))) {
      target.kind = SaveTarget::Kind::stream;
      target.path = path;
      return target;
    }
    if (S_ISREG(mode)) {
      target.kind = SaveTarget::Kind::regular;
      break;
    }
    if (links == kMaxLinks) fail(ELOOP, where);
    check_link(target.status, directory, where);
    const std::string next = read_link(at, where);
    at = next.front() == '/' ? next : directory + next;
  }
  target.directory = absolute_directory(directory_part(at), where);
  target.path = target.directory + name_part(at);
  return target;
}

}  // namespace lstmfast::files
