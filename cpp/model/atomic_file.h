// Writes a file so that its name shows either the old content or the whole new one, whatever fails;
// knows paths and bytes, no format.
#pragma once

#include <cstddef>
#include <string>

namespace lstmfast::model {

// Bytes go to a temporary file in the target's directory; commit() syncs it, renames it over the
// target and syncs the directory. Without a commit the destructor removes the temporary. An
// existing target keeps its permissions, a new one follows the umask; a symbolic link keeps
// pointing. Errors of the system are std::system_error, a target that cannot be a file is
// std::invalid_argument; both start with "[save] PATH: ".
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t size);
  void commit();  // at most once, last

 private:
  void create_temporary(unsigned mode);
  void discard() noexcept;
  void sync_directory();
  [[noreturn]] void fail(int error, const std::string& what) const;

  std::string path_;       // as given, for messages
  std::string target_;     // links resolved
  std::string directory_;  // of the target
  std::string temporary_;  // empty when there is none
  int descriptor_ = -1;
};

}  // namespace lstmfast::model
