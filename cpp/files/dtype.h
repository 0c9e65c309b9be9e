// The element types of tensor files, and the bytes of a tensor; knows no file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/plain.h"

namespace lstmfast::files {

// The format's element types that NumPy has too, and bfloat16, by ascending size, in the order of
// the reference implementation.
enum class DType { boolean, u8, i8, i16, u16, f16, bf16, i32, u32, f32, f64, i64, u64 };

std::string_view dtype_name(DType dtype);              // "F32"
std::size_t dtype_size(DType dtype);                   // bytes of one element
bool find_dtype(std::string_view name, DType* dtype);  // false when the name is unknown

// "F32 (2, 3)"
std::string type_text(DType dtype, const std::vector<index>& shape);

// *bytes: those of a tensor of this shape; false where an extent is negative or the number
// overflows.
bool count_bytes(const std::vector<index>& shape, DType dtype, std::uint64_t* bytes);

// The element type of the format for a type of C++.
template <class T>
constexpr DType dtype_of() {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double> ||
                    std::is_same_v<T, std::int64_t> || std::is_same_v<T, std::uint64_t> ||
                    std::is_same_v<T, std::uint8_t>,
                "no element type of the format for this type");
  if constexpr (std::is_same_v<T, float>) return DType::f32;
  if constexpr (std::is_same_v<T, double>) return DType::f64;
  if constexpr (std::is_same_v<T, std::int64_t>) return DType::i64;
  if constexpr (std::is_same_v<T, std::uint64_t>) return DType::u64;
  return DType::u8;
}

}  // namespace lstmfast::files
