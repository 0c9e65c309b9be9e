// vector.h, and parts of a vector of four floats, for ISAs without masked loads and stores.

#include "kernels/simd/vector.h"

LF_INLINE F32 load_part(const float* p, index n) {
  float t[4] = {0, 0, 0, 0};
  for (index i = 0; i < n; ++i) t[i] = p[i];
  return F32::load(t);
}
LF_INLINE void store_part(F32 x, float* p, index n) {
  float t[4];
  x.store(t);
  for (index i = 0; i < n; ++i) p[i] = t[i];
}
