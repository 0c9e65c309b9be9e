// Saving: the old file or the whole new one, whatever happens on the way.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "files/atomic_file.h"
#include "files/tensor_file.h"
#include "temp_dir.h"

namespace lstmfast::files {
namespace {

using test::error_of;
using test::read_bytes;
using test::TempDir;
using test::write_bytes;

void save(const std::string& path, const std::string& bytes) {
  AtomicFile file(path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

unsigned mode_of(const std::string& path) {
  struct stat status;
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return static_cast<unsigned>(status.st_mode) & 07777;
}

std::errc code_of(const std::string& path) {
  try {
    save(path, "new");
  } catch (const std::system_error& error) {
    CHECK(std::string(error.what()).rfind("[save] " + path + ": ", 0) == 0);
    return static_cast<std::errc>(error.code().value());
  }
  return {};
}

TEST_CASE("the target changes at the commit and no other file remains") {
  const TempDir dir;
  const std::string path = dir.file("m");
  save(path, "old");
  {
    AtomicFile file(path);
    file.write("new", 3);
    CHECK(read_bytes(path) == "old");
    file.commit();
    CHECK(read_bytes(path) == "new");
  }
  {
    AtomicFile file(path);
    file.write("never", 5);
  }
  CHECK(read_bytes(path) == "new");
  CHECK(dir.file_count() == 1);
}

TEST_CASE("a name without a directory is one of the working directory") {
  const TempDir dir;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(dir.path());
  save("m", "bytes");
  std::filesystem::current_path(before);
  CHECK(read_bytes(dir.file("m")) == "bytes");
}

TEST_CASE("permissions: the umask for a new file, the old ones for an old file") {
  const TempDir dir;
  const std::string path = dir.file("m");
  const mode_t before = ::umask(0027);
  save(path, "1");
  CHECK(mode_of(path) == 0640);
  REQUIRE(::chmod(path.c_str(), 0606) == 0);
  save(path, "2");
  CHECK(mode_of(path) == 0606);
  ::umask(before);
  REQUIRE(::chmod(path.c_str(), 0400) == 0);
  if (::geteuid() != 0) {
    CHECK(code_of(path) == std::errc::permission_denied);
    CHECK(read_bytes(path) == "2");
  }
}

TEST_CASE("a symbolic link keeps pointing") {
  const TempDir dir;
  std::filesystem::create_directory(dir.file("far"));
  save(dir.file("far/m"), "old");
  std::filesystem::create_symlink("far/m", dir.file("link"));
  save(dir.file("link"), "new");
  CHECK(std::filesystem::is_symlink(dir.file("link")));
  CHECK(read_bytes(dir.file("far/m")) == "new");
}

TEST_CASE("a link of another user in a directory like /tmp is not followed") {
  const TempDir dir;
  const std::string link = dir.file("link");
  std::filesystem::create_symlink("m", link);
  REQUIRE(::chmod(dir.path().c_str(), 01777) == 0);
  CHECK(code_of(link) == std::errc{});
  if (::geteuid() != 0) return;  // the rest gives files to other users
  constexpr uid_t other = 12345;
  REQUIRE(::lchown(link.c_str(), other, other) == 0);
  CHECK(code_of(link) == std::errc::permission_denied);
  REQUIRE(::chmod(dir.path().c_str(), 0777) == 0);
  CHECK(code_of(link) == std::errc{});
  REQUIRE(::chmod(dir.path().c_str(), 01777) == 0);
  REQUIRE(::chown(dir.path().c_str(), other, other) == 0);
  CHECK(code_of(link) == std::errc{});
}

TEST_CASE("targets that cannot be files") {
  const TempDir dir;
  CHECK(code_of(dir.path()) == std::errc::is_a_directory);
  CHECK(code_of(dir.file("missing/m")) == std::errc::no_such_file_or_directory);
  write_bytes(dir.file("file"), "");
  CHECK(code_of(dir.file("file/m")) == std::errc::not_a_directory);
  std::filesystem::create_symlink("loop", dir.file("loop"));
  CHECK(code_of(dir.file("loop")) == std::errc::too_many_symbolic_link_levels);
  CHECK(code_of("/dev/full") == std::errc::no_space_on_device);
  CHECK_THROWS_AS(save("", "x"), std::invalid_argument);
  CHECK_THROWS_AS(save(std::string("a\0b", 3), "x"), std::invalid_argument);
  CHECK(error_of([&] { save(dir.path(), "x"); }).rfind("[save] " + dir.path() + ": ", 0) == 0);
}

TEST_CASE("a link that leads nowhere gets a file at its end, as by open()") {
  const TempDir dir;
  std::filesystem::create_directory(dir.file("far"));
  std::filesystem::create_symlink("far/m", dir.file("near"));
  std::filesystem::create_symlink(dir.file("near"), dir.file("link"));
  save(dir.file("link"), "new");
  CHECK(std::filesystem::is_symlink(dir.file("link")));
  CHECK(std::filesystem::is_symlink(dir.file("near")));
  CHECK(read_bytes(dir.file("far/m")) == "new");
  CHECK(dir.file_count() == 3);
}

TEST_CASE("what is no file is written into, and stays what it is") {
  const TempDir dir;
  // a pipe as standard output, reached as /dev/stdout is: by a link into /proc
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  std::filesystem::create_symlink("/proc/self/fd/" + std::to_string(ends[1]), dir.file("out"));
  save(dir.file("out"), "through");
  char got[8] = {};
  CHECK(::read(ends[0], got, 7) == 7);
  CHECK(std::string(got) == "through");
  CHECK(std::filesystem::is_symlink(dir.file("out")));
  ::close(ends[0]);
  const auto handler = ::signal(SIGPIPE, SIG_IGN);
  CHECK(code_of(dir.file("out")) == std::errc::broken_pipe);
  ::signal(SIGPIPE, handler);
  ::close(ends[1]);

  // a file that is open already is appended to, not replaced
  save(dir.file("log"), "begin ");
  const int file = ::open(dir.file("log").c_str(), O_WRONLY);
  save("/proc/self/fd/" + std::to_string(file), "end");
  ::close(file);
  CHECK(read_bytes(dir.file("log")) == "begin end");
  save("/dev/null", "gone");
  CHECK(std::filesystem::is_character_file("/dev/null"));
  CHECK(dir.file_count() == 2);
}

TEST_CASE("a file that must not exist is made once, whoever comes first") {
  const TempDir dir;
  const std::string path = dir.file("m");
  AtomicFile first(path, Existing::refuse), second(path, Existing::refuse);
  first.write("first", 5);
  second.write("second", 6);
  second.commit();
  CHECK_THROWS_AS(first.commit(), std::system_error);
  CHECK(read_bytes(path) == "second");
  CHECK_THROWS_AS(AtomicFile(path, Existing::refuse), std::system_error);
  CHECK_THROWS_AS(AtomicFile("/dev/null", Existing::refuse), std::system_error);
}

// `dir` is empty, and is so afterwards.
void check_placing(const TempDir& dir, const FileSystem& system) {
  const std::string folder = dir.path() + "/", path = dir.file("m");
  const auto write = [](const TemporaryFile& file, const std::string& bytes) {
    REQUIRE(::write(file.descriptor(), bytes.data(), bytes.size()) ==
            static_cast<ssize_t>(bytes.size()));
  };
  {
    TemporaryFile made(folder, 0640, system), late(folder, 0600, system);
    TemporaryFile over(folder, 0604, system);
    write(made, "made");
    write(late, "late");
    write(over, "over");
    CHECK(made.place_new(path) == 0);
    CHECK(read_bytes(path) == "made");
    CHECK(mode_of(path) == 0640);
    CHECK(late.place_new(path) == EEXIST);
    CHECK(read_bytes(path) == "made");
    CHECK(over.replace(path) == 0);
    CHECK(read_bytes(path) == "over");
    CHECK(mode_of(path) == 0604);
    CHECK(over.replace(dir.file("no/m")) != 0);
  }
  CHECK(dir.file_count() == 1);
  std::filesystem::remove(path);
}

TEST_CASE("a temporary file with a name of its own serves as one without") {
  const TempDir dir;
  for (const bool nameless : {false, true}) {
    INFO(nameless);
    FileSystem system;
    system.nameless_files = nameless;
    {
      TemporaryFile gone(dir.path() + "/", 0600, system);
      CHECK(dir.file_count() == (nameless ? 0 : 1));
    }
    CHECK(dir.file_count() == 0);
    check_placing(dir, system);
  }
}

TEST_CASE("a file can be saved where the system refuses to name a nameless one, or to link") {
  const TempDir dir;
  FileSystem system;
  system.link = [](int from, const char* name, int to, const char* target, int flags) {
    if (flags == 0) return ::linkat(from, name, to, target, flags);
    errno = EACCES;
    return -1;
  };
  check_placing(dir, system);
  for (const bool nameless : {false, true}) {
    system.nameless_files = nameless;
    system.link = [](int, const char*, int, const char*, int) {
      errno = EACCES;
      return -1;
    };
    check_placing(dir, system);
  }
}

TEST_CASE("a file system that counts no links keeps its temporary files") {
  const TempDir dir;
  FileSystem system;
  system.nameless_files = false;
  system.status = [](int file, struct stat* status) {
    const int result = ::fstat(file, status);
    status->st_nlink = 0;
    return result;
  };
  check_placing(dir, system);
  // nor does one end in a loop whose files have the same numbers
  system.status = [](int file, struct stat* status) {
    const int result = ::fstat(file, status);
    ++status->st_ino;
    return result;
  };
  const TemporaryFile none(dir.path() + "/", 0600, system);
  CHECK(none.descriptor() < 0);
  CHECK(errno == EEXIST);
  CHECK(dir.file_count() == 0);
}

TEST_CASE("a write that fails as the file is closed fails before the file has its name") {
  const TempDir dir;
  FileSystem system;
  system.close = [](int file) {
    ::close(file);
    errno = EDQUOT;
    return -1;
  };
  TemporaryFile file(dir.path() + "/", 0600, system);
  CHECK(file.sync() == EDQUOT);
  CHECK(::fcntl(file.descriptor(), F_GETFD) >= 0);  // still open, and locked
}

// As a process that is killed leaves one.
void leave_temporary(const TempDir& dir) {
  FileSystem system;
  system.nameless_files = false;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const TemporaryFile dying(dir.path() + "/", 0600, system);
    ::_exit(0);  // without the destructor
  }
  REQUIRE(::waitpid(child, nullptr, 0) == child);
}

TEST_CASE("what dead processes left goes with the next save, what a live one writes stays") {
  const TempDir dir;
  FileSystem system;
  system.nameless_files = false;
  TemporaryFile living(dir.path() + "/", 0600, system);
  leave_temporary(dir);
  CHECK(dir.file_count() == 2);
  save(dir.file("m"), "bytes");
  CHECK(dir.file_count() == 2);
  CHECK(living.replace(dir.file("living")) == 0);
  CHECK(std::filesystem::exists(dir.file("living")));
  // whose locks are not seen here
  const std::string other_host = dir.file(".lstmfast-0123abcd-17-0.tmp");
  write_bytes(other_host, "in progress");
  save(dir.file("m"), "bytes");
  CHECK(std::filesystem::exists(other_host));
}

TEST_CASE("a large directory is searched for leftovers once a minute") {
  const TempDir dir;
  const std::string folder = dir.path() + "/";
  for (int i = 0; i < 1000; ++i) write_bytes(dir.file(std::to_string(i)), "");
  unsigned now = ~0u - 10;  // whatever the clock's begin
  const auto left_after = [&](unsigned seconds) {
    leave_temporary(dir);
    remove_leftovers(folder, now += seconds);
    const std::size_t left = dir.file_count() - 1000;
    return left;
  };
  CHECK(left_after(0) == 0);
  CHECK(left_after(1) == 1);
  CHECK(left_after(58) == 2);
  CHECK(left_after(1) == 0);
}

TEST_CASE("a full disk leaves the old file and no other") {
  const TempDir dir;
  const std::string path = dir.file("m");
  const std::vector<float> values(100'000, 1.0f);
  write_tensor_file(path, {tensor_data("w", {10}, values.data())}, {});
  const std::string old = read_bytes(path);

  // A limit on file sizes fails in the middle of a write, as a full disk does.
  struct rlimit before;
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = before;
  small.rlim_cur = 8192;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const std::string error =
      error_of([&] { write_tensor_file(path, {tensor_data("w", {100'000}, values.data())}, {}); });
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  ::signal(SIGXFSZ, handler);

  CHECK(error.rfind("[save] " + path + ": cannot write: ", 0) == 0);
  CHECK(read_bytes(path) == old);
  CHECK(dir.file_count() == 1);
}

TEST_CASE("a process killed while it saves never leaves a damaged file") {
  const TempDir dir;
  const std::string path = dir.file("m");
  const std::vector<float> values(50'000, 1.0f);
  write_tensor_file(path, {tensor_data("w", {50'000}, values.data())}, {});
  for (int round = 0; round < 20; ++round) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      for (index n = 1;; ++n) {
        write_tensor_file(path, {tensor_data("w", {n % 50'000 + 1}, values.data())}, {});
      }
    }
    ::usleep(static_cast<useconds_t>(1000 + 1700 * round));
    REQUIRE(::kill(child, SIGKILL) == 0);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    const TensorFile file(path);
    std::vector<float> out(static_cast<std::size_t>(file.at("w").count()));
    file.copy("w", file.at("w").shape, out.data());
    CHECK(out.back() == 1.0f);
    write_tensor_file(dir.file("other"), {}, {});
    CHECK(dir.file_count() == 2);
  }
}

}  // namespace
}  // namespace lstmfast::files
