// Resolves a path to write to, following links as open() does; writes nothing.
#pragma once

#include <sys/stat.h>

#include <string>

namespace lstmfast::files {

struct SaveTarget {
  enum class Kind {
    missing,  // no file of that name
    regular,  // a file that may be replaced
    // A pipe, a terminal or another character device, a socket, or an entry of /proc, to which
    // /dev/stdout leads: it cannot be replaced, so bytes are written into it.
    stream
  };

  Kind kind = Kind::missing;
  std::string path;       // after all links, absolute; of a stream as given
  std::string directory;  // of path, absolute, with a slash at its end; empty for a stream
  struct stat status{};   // unless missing
};

// A link to a missing file resolves to the missing name. A refusal of the system and a directory
// are std::system_error, a block device is std::invalid_argument; the texts start with `where`.
SaveTarget find_target(const std::string& path, const std::string& where);

}  // namespace lstmfast::files
