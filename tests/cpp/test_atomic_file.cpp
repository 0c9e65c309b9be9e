// Saving: the old file or the whole new one, whatever happens on the way.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "model/atomic_file.h"
#include "model/tensor_file.h"
#include "temp_dir.h"

namespace lstmfast::model {
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
    CHECK(dir.file_count() == 2);
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

TEST_CASE("targets that cannot be files") {
  const TempDir dir;
  CHECK(code_of(dir.path()) == std::errc::is_a_directory);
  CHECK(code_of(dir.file("missing/m")) == std::errc::no_such_file_or_directory);
  write_bytes(dir.file("file"), "");
  CHECK(code_of(dir.file("file/m")) == std::errc::not_a_directory);
  std::filesystem::create_symlink("loop", dir.file("loop"));
  CHECK(code_of(dir.file("loop")) == std::errc::too_many_symbolic_link_levels);
  CHECK_THROWS_AS(save("/dev/full", "x"), std::invalid_argument);
  CHECK_THROWS_AS(save("", "x"), std::invalid_argument);
  CHECK_THROWS_AS(save(std::string("a\0b", 3), "x"), std::invalid_argument);
  CHECK(error_of([&] { save(dir.path(), "x"); }).rfind("[save] " + dir.path() + ": ", 0) == 0);
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
    const TensorFile file = TensorFile::read(path);
    std::vector<float> out(static_cast<std::size_t>(file.at("w").count()));
    file.copy("w", file.at("w").shape, out.data());
    CHECK(out.back() == 1.0f);
  }
}

}  // namespace
}  // namespace lstmfast::model
