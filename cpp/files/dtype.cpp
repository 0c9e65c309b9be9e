#include "files/dtype.h"

#include <limits>

#include "base/shape_text.h"

namespace lstmfast::files {
namespace {

struct DTypeRow {
  DType dtype;
  const char* name;
  std::size_t size;
};

constexpr DTypeRow kDTypes[] = {
    {DType::boolean, "BOOL", 1}, {DType::u8, "U8", 1},   {DType::i8, "I8", 1},
    {DType::i16, "I16", 2},      {DType::u16, "U16", 2}, {DType::f16, "F16", 2},
    {DType::i32, "I32", 4},      {DType::u32, "U32", 4}, {DType::f32, "F32", 4},
    {DType::f64, "F64", 8},      {DType::i64, "I64", 8}, {DType::u64, "U64", 8},
};

const DTypeRow& row_of(DType dtype) { return kDTypes[static_cast<std::size_t>(dtype)]; }

}  // namespace

const char* dtype_name(DType dtype) { return row_of(dtype).name; }

std::size_t dtype_size(DType dtype) { return row_of(dtype).size; }

bool find_dtype(std::string_view name, DType* dtype) {
  for (const DTypeRow& row : kDTypes) {
    if (name == row.name) {
      *dtype = row.dtype;
      return true;
    }
  }
  return false;
}

std::string type_text(DType dtype, const std::vector<index>& shape) {
  return std::string(dtype_name(dtype)) + ' ' +
         base::shape_text(shape.data(), static_cast<index>(shape.size()));
}

bool count_bytes(const std::vector<index>& shape, DType dtype, std::uint64_t* bytes) {
  // Extents next to a zero must not overflow either: a reader may multiply in any order.
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<index>::max());
  std::uint64_t product = dtype_size(dtype);
  bool empty = false;
  for (const index extent : shape) {
    if (extent < 0) return false;
    empty = empty || extent == 0;
    if (extent == 0) continue;
    if (product > kMax / static_cast<std::uint64_t>(extent)) return false;
    product *= static_cast<std::uint64_t>(extent);
  }
  *bytes = empty ? 0 : product;
  return true;
}

}  // namespace lstmfast::files
