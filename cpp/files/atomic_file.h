// Writes a file so that its name shows either the old content or the whole new one, whatever fails;
// knows paths and bytes, no format.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/no_copy.h"
#include "files/save_target.h"
#include "files/temporary_file.h"

namespace lstmfast::files {

enum class Existing { replace, refuse };  // what to do about a file that has the name already

// Bytes go to a temporary file in the target's directory; commit() syncs it, gives it the target's
// name, syncs the directory and removes temporary files that dead processes left there. Without a
// commit the destructor removes the temporary file. An existing target keeps its permissions, a new
// one follows the umask; a symbolic link keeps its target. Existing::refuse holds up to the last
// step: of two processes that begin together one fails with EEXIST. Streams (SaveTarget) are
// written directly by each write; after a signal, writes ask the Interrupt in force whether to go
// on. Errors of the system are std::system_error, a target that cannot be written is
// std::invalid_argument; both start with "[save] PATH: ".
class AtomicFile : base::NoCopy {
 public:
  explicit AtomicFile(std::string path, Existing existing = Existing::replace);
  ~AtomicFile();

  void write(const void* data, std::size_t size);
  void commit();  // at most once, last

 private:
  void open_stream();
  void open_temporary();
  int descriptor() const { return temporary_ ? temporary_->descriptor() : stream_; }
  void sync_directory();
  [[noreturn]] void fail(int error, const std::string& what) const;

  std::string path_;   // as given
  std::string where_;  // for messages
  SaveTarget target_;
  Existing existing_;
  std::optional<TemporaryFile> temporary_;  // or else
  int stream_ = -1;
};

}  // namespace lstmfast::files
