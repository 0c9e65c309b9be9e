// The file that a save fills before it gets its name, and the removal of those that dead processes
// left. Knows directories and descriptors, not what is written.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <string>

namespace lstmfast::files {

// What differs between file systems; a test changes it to stand for one that it does not have.
struct FileSystem {
  bool nameless_files = true;  // O_TMPFILE; where the real one lacks it, it is not used either way
  int (*link)(int, const char*, int, const char*, int) = &::linkat;
  int (*status)(int, struct stat*) = &::fstat;
  int (*close)(int) = &::close;
};

// Open for writing, locked (flock) as long as it is open. Where the file system can make a file
// without a name it has none until it gets the target's; a process that dies leaves nothing then.
// Elsewhere, and while it replaces a file, it has a name of its own in the same directory. The
// destructor removes what was not placed. System calls that fail return or leave errno.
class TemporaryFile {
 public:
  // `directory` ends in a slash. descriptor() is negative where it failed, with errno set.
  TemporaryFile(std::string directory, unsigned mode, const FileSystem& system = {});
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  int descriptor() const { return descriptor_; }

  // Takes over the permissions of another file, and where the system allows it owner and group; 0,
  // or an error number.
  int take_attributes(const struct stat& other);

  // Returns when the content is on disk; 0, or the error of any write before.
  int sync();

  // Gives it the name `target` in the same directory; 0, or an error number. The first replaces
  // what has the name, in one step; the second is EEXIST where there is anything. Where the system
  // refuses to name a nameless file, the content moves to a new file, which is synced.
  int replace(const std::string& target);
  int place_new(const std::string& target);

 private:
  bool open_unnamed(unsigned mode);
  void open_named(unsigned mode);
  int link_to(const std::string& target);
  int give_name();
  int move_to_named();
  std::string door() const;  // a path that leads to the open file

  std::string directory_;
  std::string name_;  // whole path; empty: it has none
  FileSystem system_;
  int descriptor_ = -1;
};

// Removes the temporary files in `directory` (with its slash) that processes of this host left. A
// large directory, which takes long to read, is only searched where this process has not done so
// for a minute; `now`: seconds of any clock.
void remove_leftovers(const std::string& directory, unsigned now) noexcept;

}  // namespace lstmfast::files
