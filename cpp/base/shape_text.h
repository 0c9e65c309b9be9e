// Text of a shape for error messages, "(T=12, B=8, I=40)"; must not know what the letters mean.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "base/plain.h"

namespace lstmfast::base {

struct NamedSize {
  const char* name;  // not owned: "T", "B", ...; null: an axis to leave out
  index size;        // negative: any size, shown as ?
};

inline std::string size_text(index size) { return size < 0 ? "?" : std::to_string(size); }

// shape_text({{"T", 12}, {"B", 8}}) is "(T=12, B=8)".
inline std::string shape_text(std::initializer_list<NamedSize> sizes) {
  std::string text = "(";
  for (const NamedSize& s : sizes) {
    if (s.name == nullptr) continue;
    if (text.size() > 1) text += ", ";
    text += s.name;
    text += '=';
    text += size_text(s.size);
  }
  return text + ")";
}

// sizes [rank]. Without letters, written as Python writes a tuple: "(12, 8)", "(40,)", "()".
inline std::string shape_text(const index* sizes, index rank) {
  std::string text = "(";
  for (index i = 0; i < rank; ++i) {
    if (i > 0) text += ", ";
    text += size_text(sizes[i]);
  }
  return text + (rank == 1 ? ",)" : ")");
}
inline std::string shape_text(const std::vector<index>& sizes) {
  return shape_text(sizes.data(), static_cast<index>(sizes.size()));
}

}  // namespace lstmfast::base
