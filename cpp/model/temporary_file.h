// The file that a save fills before it gets its name, and the removal of those that dead processes
// left. Knows directories and descriptors, not what is written.
#pragma once

#include <string>

namespace lstmfast::model {

// Open for writing, locked (flock) as long as it is open. Where the file system can make a file
// without a name it has none until it gets the target's; a process that dies leaves nothing then.
// Elsewhere, and while it replaces a file, it has a name of its own in the same directory. The
// destructor removes what was not placed. System calls that fail return or leave errno.
class TemporaryFile {
 public:
  // `directory` ends in a slash. descriptor() is negative where it failed, with errno set. `named`:
  // go the way of file systems that cannot make a file without a name.
  TemporaryFile(std::string directory, unsigned mode, bool named = false);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  int descriptor() const { return descriptor_; }

  // Gives it the name `target` in the same directory; 0, or an error number. The first replaces
  // what has the name, in one step; the second is EEXIST where there is anything.
  int replace(const std::string& target);
  int place_new(const std::string& target);

 private:
  bool open_unnamed(unsigned mode);
  void open_named(unsigned mode);
  int give_name();
  std::string door() const;  // a path that leads to the open file

  std::string directory_;
  std::string name_;  // whole path; empty: it has none
  int descriptor_ = -1;
};

// Removes the temporary files in `directory` that no process holds open any more.
void remove_leftovers(const std::string& directory) noexcept;

}  // namespace lstmfast::model
