// The safetensors reader and writer: round trips, exact bytes, and every rule of the header.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "files/tensor_file.h"
#include "temp_dir.h"

namespace lstmfast::files {
namespace {

using test::error_of;
using test::read_bytes;
using test::TempDir;
using test::write_bytes;

// A whole file of a header text and a number of zero bytes.
std::string file_of(const std::string& header, std::size_t data_size) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(header.size() >> (8 * i));
  return bytes + header + std::string(data_size, '\0');
}

// The error of a file with this header and data size, without "[load] PATH: ".
std::string header_error(const std::string& header, std::uint64_t data_size) {
  return error_of([&] { parse_tensor_header(header, data_size, ""); });
}

bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  INFO(part);
  const bool found = text.find(part) != std::string::npos;
  CHECK(found);
  return found;
}

std::string entry(const std::string& name, const std::string& shape, const std::string& offsets) {
  return "\"" + name + R"(":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets +
         "}";
}

TEST_CASE("what is written is read back") {
  const TempDir dir;
  const std::string path = dir.file("m.safetensors");
  const float w[] = {1.5f, -0.0f, std::numeric_limits<float>::denorm_min(), 4, 5, 6};
  const double d[] = {0.1, std::numeric_limits<double>::infinity()};
  const std::int64_t i[] = {std::numeric_limits<std::int64_t>::min()};
  const std::uint64_t u[] = {std::numeric_limits<std::uint64_t>::max()};
  const std::uint8_t b[] = {1, 2, 255};
  const Metadata metadata = {
      {"kind", "lstm"}, {"", "empty key"}, {"naïve \"q\"\n\x01", "\\ / é 🎵"}};
  write_tensor_file(path,
                    {tensor_data("w/ü", {2, 3}, w), tensor_data("d", {2}, d),
                     tensor_data("i", {}, i), tensor_data("u", {1, 1}, u), tensor_data("b", {3}, b),
                     tensor_data<float>("none", {0, 7}, nullptr)},
                    metadata);

  const TensorFile file(path);
  CHECK(file.metadata() == metadata);
  CHECK(file.tensors().size() == 6);
  float w2[6];
  file.copy("w/ü", {2, 3}, w2);
  CHECK(std::memcmp(w, w2, sizeof w) == 0);
  double d2[2];
  file.copy("d", {2}, d2);
  CHECK(std::memcmp(d, d2, sizeof d) == 0);
  std::int64_t i2 = 0;
  file.copy("i", {}, &i2);
  CHECK(i2 == i[0]);
  std::uint64_t u2 = 0;
  file.copy("u", {1, 1}, &u2);
  CHECK(u2 == u[0]);
  std::uint8_t b2[3];
  file.copy("b", {3}, b2);
  CHECK(b2[2] == 255);
  CHECK(file.at("none").count() == 0);
  file.copy<float>("none", {0, 7}, nullptr);
}

TEST_CASE("the bytes depend on the content alone and place the data at a multiple of eight") {
  const TempDir dir;
  const float x[] = {1, 2};
  const double y[] = {3};
  write_tensor_file(dir.file("1"),
                    {tensor_data("b", {2}, x), tensor_data("a", {2}, x), tensor_data("z", {1}, y)},
                    {{"k", "v"}});
  write_tensor_file(dir.file("2"),
                    {tensor_data("z", {1}, y), tensor_data("a", {2}, x), tensor_data("b", {2}, x)},
                    {{"k", "v"}});
  const std::string bytes = read_bytes(dir.file("1"));
  CHECK(bytes == read_bytes(dir.file("2")));
  std::string header = R"({"__metadata__":{"digest":"crc32c:99afcb90,28c0c9b1,28c0c9b1,50476c8e",)"
                       R"("k":"v"},"z":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},)"
                       R"("a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},)"
                       R"("b":{"dtype":"F32","shape":[2],"data_offsets":[16,24]}})";
  header.append((8 - header.size() % 8) % 8, ' ');
  CHECK(bytes.substr(0, 8 + header.size()) == file_of(header, 0));
  CHECK(bytes.size() == 8 + header.size() + 24);

  write_tensor_file(dir.file("3"), {}, {});
  header = R"({"__metadata__":{"digest":"crc32c:8c28b28a"}})";
  header.append((8 - header.size() % 8) % 8, ' ');
  CHECK(read_bytes(dir.file("3")) == file_of(header, 0));
  CHECK(TensorFile(dir.file("3")).tensors().empty());
}

TEST_CASE("the writer refuses what no reader would accept, and leaves no file") {
  const TempDir dir;
  const std::string path = dir.file("m");
  const float x[] = {1, 2};
  const auto error = [&](const std::vector<TensorData>& tensors, const Metadata& metadata) {
    const std::string text = error_of([&] { write_tensor_file(path, tensors, metadata); });
    contains(text, "[save] " + path + ": ");
    CHECK(dir.file_count() == 0);
    return text;
  };
  const double y[] = {1};
  contains(error({tensor_data("a", {2}, x), tensor_data("a", {1}, y)}, {}), "\"a\" appears twice");
  contains(error({tensor_data("__metadata__", {2}, x)}, {}), "may be named \"__metadata__\"");
  contains(error({tensor_data("\xff", {2}, x)}, {}), "\"\\xff\" is not valid UTF-8");
  contains(error({}, {{"digest", ""}}), "no metadata entry may be named \"digest\"");
  contains(error({}, {{"k", "\xc0\x80"}}), "metadata entry \"k\" is not valid UTF-8");
  contains(error({tensor_data("a", {-1}, x)}, {}), "impossible shape F32 (?,)");
  contains(error({tensor_data("a", {index{1} << 31, index{1} << 31}, x)}, {}), "impossible shape");
  contains(error({tensor_data<float>("a", {2}, nullptr)}, {}), "\"a\" has no data");
}

TEST_CASE("copies check name, dtype and shape") {
  const TempDir dir;
  const std::string path = dir.file("m");
  const float x[] = {1, 2};
  write_tensor_file(path, {tensor_data("a", {2}, x)}, {});
  const TensorFile file(path);
  double d[2];
  float f[2];
  CHECK(error_of([&] { file.copy("a", {2}, d); }) ==
        "[load] " + path + ": tensor \"a\" is F32 (2,); expected F64 (2,)");
  CHECK(error_of([&] { file.copy("a", {1, 2}, f); }) ==
        "[load] " + path + ": tensor \"a\" is F32 (2,); expected F32 (1, 2)");
  CHECK(error_of([&] { file.copy("b", {2}, f); }) ==
        "[load] " + path + ": has no tensor \"b\"; it holds \"a\"");
}

TEST_CASE("files that are none, and refusals of the system") {
  const TempDir dir;
  const std::string path = dir.file("m");
  const auto read = [&] { TensorFile{path}; };
  CHECK_THROWS_AS(read(), std::system_error);
  contains(error_of(read), "[load] " + path + ": cannot open: ");
  try {
    read();
  } catch (const std::system_error& error) {
    CHECK(error.code() == std::errc::no_such_file_or_directory);
  }
  contains(error_of([&] { TensorFile{dir.path()}; }), ": cannot read: ");
  contains(error_of([&] { TensorFile{"/dev/zero"}; }), "is not a regular file");
  contains(error_of([&] { TensorFile{path + std::string("\0x", 2)}; }), "NUL");
  REQUIRE(::mkfifo(dir.file("pipe").c_str(), 0600) == 0);
  contains(error_of([&] { TensorFile{dir.file("pipe")}; }), "is not a regular file");

  write_bytes(path, "");
  contains(error_of(read), "the file has 0 bytes; expected at least 8");
  write_bytes(path, file_of("{}", 0).substr(0, 9));
  contains(error_of(read), "the header claims 2 bytes; expected at most 1 (truncated");
  write_bytes(path, std::string(8, '\xff') + "{}");
  contains(error_of(read), "the header claims 18446744073709551615 bytes");
  write_bytes(path, std::string(8, '\0'));
  contains(error_of(read), "the header does not start with '{'");
}

TEST_CASE("files of other formats are named") {
  const TempDir dir;
  const std::string path = dir.file("m");
  const auto zip = [](const std::string& name) {
    std::string bytes("PK\x03\x04", 4);
    bytes.resize(30, '\0');
    bytes[26] = static_cast<char>(name.size());
    return bytes + name + "content";
  };
  const std::pair<std::string, std::string> cases[] = {
      {zip("metadata.json"), "a model of Keras (.keras)"},
      {zip("archive/data.pkl"), "a file of torch.save (.pt, .pth)"},
      {zip("arr_0.npy"), "arrays of NumPy (.npz)"},
      {zip("x"), "a zip archive"},
      {"PK\x03\x04", "a zip archive"},
      {std::string("\x89HDF\r\n\x1a\n") + std::string(20, '\0'), "an HDF5 file (.h5"},
      {"\x80\x04\x95\x10\0\0\0\0\0\0\0", "a pickle"},
      {"\x80\x02}q\x01X\x05\x00\x00\x00", "a pickle"},
      {"\x08\x0a\x12\x07pytorch", "a model of ONNX (.onnx)"},
      {"\x93NUMPY\x01\x00", "an array of NumPy (.npy)"},
      {"\x1f\x8b\x08\x08", "compressed by gzip"},
      {"{\"class_name\": \"Sequential\"}", "text that begins as JSON does"}};
  for (const auto& [bytes, format] : cases) {
    write_bytes(path, bytes);
    contains(error_of([&] { TensorFile{path}; }), "[load] " + path + ": is " + format);
  }
}

TEST_CASE("every flipped bit of a file with a digest is found") {
  const TempDir dir;
  const std::string path = dir.file("m");
  const float x[] = {1, -2, 0};
  const std::int64_t i[] = {7};
  write_tensor_file(path, {tensor_data("x", {3}, x), tensor_data("i", {}, i)},
                    {{"key", "line\nline"}, {"other", "text"}});
  const std::string good = read_bytes(path);
  std::size_t found = 0;
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    std::filesystem::remove(path);
    write_bytes(path, bytes);
    found += !error_of([&] {
                const TensorFile file(path);
                std::vector<char> out(32);
                for (const TensorInfo& info : file.tensors()) file.copy_bytes(info, out.data());
                if (!file.has_digest()) throw std::invalid_argument("no digest");
              }).empty();
  }
  CHECK(found == 8 * good.size());
}

TEST_CASE("a file overwritten while it is open is not mixed with the new one") {
  const TempDir dir;
  const std::string path = dir.file("m"), other = dir.file("other");
  const float x[] = {1, 2}, y[] = {3, 4};
  write_tensor_file(path, {tensor_data("x", {2}, x)}, {});
  write_tensor_file(other, {tensor_data("x", {2}, y)}, {});
  const TensorFile file(path);
  write_bytes(path, read_bytes(other));  // in place, as cp does
  float got[2];
  contains(error_of([&] { file.copy("x", {2}, got); }),
           "tensor \"x\" is damaged: its bytes are not those that were saved");
}

TEST_CASE("a digest survives a program that orders and spaces the header in its own way") {
  const TempDir dir;
  const std::string path = dir.file("m");
  const float x[] = {1, 2};
  write_tensor_file(path, {tensor_data("b", {1}, x), tensor_data("a", {2}, x)}, {{"k", "v"}});
  const std::string digest = "crc32c:49485263,28c0c9b1,dd54c4ab";
  const auto text = [&](const std::string& key) {
    return R"({ "b": {"shape":[1],"data_offsets":[0,4],"dtype":"F32"}, )"
           R"("a":{"dtype":"F32","shape":[ 2 ],"data_offsets":[4,12]},"__metadata__":{"\u006b":")" +
           std::string("v\",\"") + key + "\":\"" + digest + "\"}}";
  };
  const std::string data = std::string(read_bytes(path)).substr(read_bytes(path).size() - 4) +
                           std::string(read_bytes(path)).substr(read_bytes(path).size() - 12, 8);
  const auto write = [&](const std::string& header) {
    const std::string whole = file_of(header, 0);
    write_bytes(path, whole + data);
  };
  write(text("digest"));
  const TensorFile file(path);
  CHECK(file.has_digest());
  float got[2];
  file.copy("a", {2}, got);
  CHECK(got[1] == 2);
  CHECK(file.metadata() == Metadata{{"k", "v"}});
  write(text("another"));
  CHECK_FALSE(TensorFile{path}.has_digest());
}

TEST_CASE("a file that shrinks after its header was read is an error, not a crash") {
  const TempDir dir;
  const std::string path = dir.file("m");
  const float x[] = {1, 2};
  write_tensor_file(path, {tensor_data("a", {2}, x)}, {});
  const TensorFile file(path);
  std::filesystem::resize_file(path, 60);
  float out[2];
  contains(error_of([&] { file.copy("a", {2}, out); }), "ended while it was being read");
}

TEST_CASE("the header's grammar is strict") {
  const std::string a = entry("a", "[1]", "[0,4]");
  CHECK(header_error("{" + a + "}", 4) == "");
  CHECK(header_error("{ " + a + " }   ", 4) == "");
  CHECK(header_error("{\n\t\"\\u0061\" : {\"data_offsets\" : [ 0 , 4 ] ,\"shape\":[1 ], "
                     "\"dtype\":\"\\u004632\"}}",
                     4) == "");
  CHECK(header_error(R"({"__metadata__":{}})", 0) == "");
  CHECK(header_error("{" + entry("a", "[]", "[0,4]") + "}", 4) == "");

  contains(header_error(" {}", 0), "does not start with");
  contains(header_error("[]", 0), "does not start with");
  contains(header_error("{", 0), "byte 1: expected '\"', got the header's end");
  contains(header_error("{}x", 0), "byte 2: expected only spaces after the object, got 'x'");
  contains(header_error("{}\n", 0), "expected only spaces");
  contains(header_error("{}{}", 0), "expected only spaces");
  contains(header_error("{" + a + ",}", 4), "expected '\"'");
  contains(header_error("{" + a + a + "}", 4), "expected '}'");
  contains(header_error("{'a':1}", 4), "expected '\"', got '''");
  contains(header_error(R"({"a":null})", 0), "expected '{'");
  contains(header_error(R"({"a":[[[[[[)", 0), "expected '{'");
  contains(header_error(R"({"a":{"dtype":{"x":1}}})", 0), "expected '\"'");
  contains(header_error(R"({"a":{}})", 0), "tensor \"a\" has no dtype");
  contains(header_error(R"({"a":{"dtype":"F32"}})", 0), "has no shape");
  contains(header_error(R"({"a":{"dtype":"F32","shape":[]}})", 0), "has no data_offsets");
  contains(header_error(R"({"a":{"dtype":"F31"}})", 0), "has the unknown dtype \"F31\"");
  contains(header_error(R"({"a":{"dtype":"f32"}})", 0), "has the unknown dtype");
  contains(header_error(R"({"a":{"evil":1}})", 0), "has the unknown key \"evil\"");
  contains(header_error(R"({"a":{"dtype":"F32","dtype":"F32"}})", 0), "has dtype twice");
  contains(header_error("{" + a + "," + a + "}", 8), "tensor \"a\" appears twice");
  contains(header_error(R"({"__metadata__":{},"__metadata__":{}})", 0), "appears twice");
  contains(header_error(R"({"__metadata__":{"k":"1","\u006b":"2"}})", 0),
           "metadata key \"k\" appears twice");
  contains(header_error(R"({"__metadata__":{"k":1}})", 0), "expected '\"', got '1'");
  contains(header_error(R"({"__metadata__":null})", 0), "expected '{'");
}

TEST_CASE("numbers of the header") {
  const auto error = [](const std::string& shape, const std::string& offsets) {
    return header_error("{" + entry("a", shape, offsets) + "}", 4);
  };
  CHECK(error("[1]", "[0,4]") == "");
  for (const char* bad : {"[-1]", "[+1]", "[.5]", "[null]", "[\"1\"]", "[,]", "[true]"}) {
    contains(error(bad, "[0,4]"), "expected an integer of 0 or more");
  }
  for (const char* bad : {"[1.0]", "[1e0]", "[1 1]"}) contains(error(bad, "[0,4]"), "expected ']'");
  contains(error("[01]", "[0,4]"), "leading zero");
  contains(error("[1,]", "[0,4]"), "expected an integer");
  contains(error("[18446744073709551616]", "[0,4]"), "does not fit 64 bits");
  contains(error("[99999999999999999999999]", "[0,4]"), "does not fit 64 bits");
  contains(error("[18446744073709551615]", "[0,4]"), "too large");
  contains(error("[4294967296,4294967296]", "[0,0]"), "size overflows");
  contains(error("[0,4294967296,4294967296]", "[0,0]"), "size overflows");
  contains(error("[9223372036854775807]", "[0,4]"), "size overflows");
  std::string deep = "[1";
  for (int i = 0; i < 64; ++i) deep += ",1";
  contains(error(deep + "]", "[0,4]"), "more than 64 extents");
  contains(error("[1]", "[0]"), "fewer than two");
  contains(error("[1]", "[]"), "fewer than two");
  contains(error("[1]", "[0,4,4]"), "more than two");
}

TEST_CASE("tensors fill the data exactly") {
  const auto error = [](const std::string& entries, std::uint64_t data_size) {
    return header_error("{" + entries + "}", data_size);
  };
  const std::string a = entry("a", "[1]", "[0,4]");
  CHECK(error(entry("b", "[1]", "[4,8]") + "," + a, 8) == "");
  CHECK(error(entry("e", "[0]", "[4,4]") + "," + entry("f", "[0]", "[0,0]") + "," + a, 4) == "");
  CHECK(error(entry("a", "[2]", "[0,4]"), 4) ==
        "tensor \"a\" has data_offsets [0, 4]; expected 8 bytes for F32 (2,)");
  CHECK(error(entry("a", "[1]", "[4,0]"), 4) ==
        "tensor \"a\" has data_offsets [4, 0]; expected 4 bytes for F32 (1,)");
  contains(error(entry("a", "[1]", "[18446744073709551612,0]"), 4), "expected 4 bytes");
  contains(error(entry("a", "[1]", "[18446744073709551611,18446744073709551615]"), 4),
           "which leave a hole in the data before them; expected a start at 0");
  contains(error(a + "," + entry("b", "[1]", "[8,12]"), 12), "leave a hole");
  contains(error(a + "," + entry("b", "[1]", "[2,6]"), 8), "which overlap the data before them");
  contains(error(a + "," + entry("b", "[1]", "[0,4]"), 4), "which overlap");
  contains(error(a + "," + entry("e", "[0]", "[2,2]"), 4), "which overlap");
  CHECK(error(a, 3) == "the file holds 3 bytes of data; expected 4 from its header (truncated?)");
  CHECK(error(a, 5) == "the file holds 5 bytes of data; expected 4 from its header");
  contains(error("", 1), "the file holds 1 bytes of data; expected 0");
}

}  // namespace
}  // namespace lstmfast::files
