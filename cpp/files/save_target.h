// Where a path to write to leads, with links followed as open() follows them; writes nothing.
#pragma once

#include <sys/stat.h>

#include <string>

namespace lstmfast::files {

struct SaveTarget {
  enum class Kind {
    missing,  // no file of that name
    regular,  // a file that another may take the place of
    // A pipe, a terminal or another character device, a socket, or an entry of /proc, such as the
    // end of /dev/stdout: the name belongs to the system, so bytes go into what it stands for.
    stream
  };

  Kind kind = Kind::missing;
  std::string path;       // after all links, absolute; of a stream as it was given
  std::string directory;  // of path, absolute, with a slash at its end; empty for a stream
  struct stat status{};   // unless missing
};

// A link whose end is missing leads to that missing name. A refusal of the system is
// std::system_error, a directory too; a block device is std::invalid_argument. `where` begins both.
SaveTarget find_target(const std::string& path, const std::string& where);

}  // namespace lstmfast::files
