#include "files/dtype.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "base/shape_text.h"

namespace lstmfast::files {
namespace {

struct Element {
  std::string_view name;
  std::size_t size;
};

// By DType.
constexpr Element kElements[] = {{"BOOL", 1}, {"U8", 1},   {"I8", 1},  {"I16", 2}, {"U16", 2},
                                 {"F16", 2},  {"BF16", 2}, {"I32", 4}, {"U32", 4}, {"F32", 4},
                                 {"F64", 8},  {"I64", 8},  {"U64", 8}};

}  // namespace

std::string_view dtype_name(DType dtype) { return kElements[static_cast<std::size_t>(dtype)].name; }

std::size_t dtype_size(DType dtype) { return kElements[static_cast<std::size_t>(dtype)].size; }

bool find_dtype(std::string_view name, DType* dtype) {
  const auto* const at = std::find_if(std::begin(kElements), std::end(kElements),
                                      [name](const Element& each) { return each.name == name; });
  if (at == std::end(kElements)) return false;
  *dtype = static_cast<DType>(at - kElements);
  return true;
}

std::string type_text(DType dtype, const std::vector<index>& shape) {
  return std::string(dtype_name(dtype)) + ' ' + base::shape_text(shape);
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
