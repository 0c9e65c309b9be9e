// The file that a save writes before it gets its name, and the removal of files that dead processes
// left. Knows directories and descriptors, not what is written.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/no_copy.h"

namespace lstmfast::files {

// What differs between file systems; a test changes it to simulate one that it does not have.
struct FileSystem {
  bool nameless_files = true;  // O_TMPFILE; where the real one lacks it, it is not used either way
  int (*link)(int, const char*, int, const char*, int) = &::linkat;
  int (*status)(int, struct stat*) = &::fstat;
  int (*close)(int) = &::close;
};

// Open for writing, and locked (flock) as long as it is open. Where the file system can make a file
// without a name, the file has none until it gets the target's, so that a process that dies leaves
// nothing. Elsewhere, and while it replaces a file, it has a name of its own in the same directory.
// The destructor removes a file that did not get the target's name. Functions return the error
// number of a system call that fails.
class TemporaryFile : base::NoCopy {
 public:
  // `directory` ends in a slash. Where it fails, descriptor() is negative and errno is set.
  TemporaryFile(std::string directory, unsigned mode, const FileSystem& system = {});
  ~TemporaryFile();

  int descriptor() const { return descriptor_; }

  // Copies the permissions of another file, and where the system allows it owner and group; 0, or
  // an error number.
  int take_attributes(const struct stat& other);

  // Returns when the content is on disk; 0, or the error of any write before.
  int sync();

  // Give the file the name `target` in the same directory; 0, or an error number. replace()
  // replaces a file of that name in one step; place_new() returns EEXIST where there is one. Where
  // the system refuses to name a nameless file, the content is copied to a new file, which is
  // synced.
  int replace(const std::string& target);
  int place_new(const std::string& target);

 private:
  bool open_unnamed(unsigned mode);
  void open_named(unsigned mode);
  template <class Make>
  int take_name(Make make);
  int link_to(const std::string& target);
  int move_to_named();
  std::string descriptor_path() const;  // leads to the open file

  std::string directory_;
  std::string name_;  // the whole path; empty: the file has no name
  FileSystem system_;
  int descriptor_ = -1;
};

// Removes the temporary files in `directory` (with its slash) that dead processes of this host
// left. A large directory takes long to read, so this process searches it once a minute at most;
// `now`: seconds of any clock.
void remove_leftovers(const std::string& directory, unsigned now) noexcept;

}  // namespace lstmfast::files
