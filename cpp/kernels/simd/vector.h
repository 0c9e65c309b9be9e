// What the vocabularies of all ISAs have in common: a vector is the compiler's own vector type, for
// which the intrinsics' types are other names. Included by each of them, after kVectorBytes.

template <class T>
struct Vec {
  static constexpr int kLanes = kVectorBytes / sizeof(T);
  typedef T Lanes __attribute__((vector_size(kVectorBytes), may_alias));
  typedef T Unaligned __attribute__((vector_size(kVectorBytes), may_alias, aligned(1)));
  Lanes v;
  static LF_INLINE Vec zero() { return {Lanes{}}; }
  static LF_INLINE Vec set(T x) { return {x - Lanes{}}; }  // - 0 keeps the sign of every x
  static LF_INLINE Vec load(const T* p) { return {*(const Unaligned*)p}; }
  LF_INLINE void store(T* p) const { *(Unaligned*)p = v; }
};

// Lanes of 32 bits, as whole numbers: as many as floats.
struct Ints {
  typedef int Lanes __attribute__((vector_size(kVectorBytes), may_alias));
  typedef int Unaligned __attribute__((vector_size(kVectorBytes), may_alias, aligned(1)));
  Lanes v;
  static LF_INLINE Ints set(int x) { return {x - Lanes{}}; }
  static LF_INLINE Ints load(const int* p) { return {*(const Unaligned*)p}; }
  LF_INLINE void store(int* p) const { *(Unaligned*)p = v; }
};

// Instantiated here, GCC compiles them as well as classes that are written out.
template struct Vec<float>;
template struct Vec<double>;
using F32 = Vec<float>;
using F64 = Vec<double>;

template <class T>
LF_INLINE Vec<T> operator+(Vec<T> a, Vec<T> b) {
  return {a.v + b.v};
}
template <class T>
LF_INLINE Vec<T> operator-(Vec<T> a, Vec<T> b) {
  return {a.v - b.v};
}
template <class T>
LF_INLINE Vec<T> operator*(Vec<T> a, Vec<T> b) {
  return {a.v * b.v};
}
template <class T>
LF_INLINE Vec<T> operator/(Vec<T> a, Vec<T> b) {
  return {a.v / b.v};
}

LF_INLINE F32 to_floats(Ints a) { return {__builtin_convertvector(a.v, F32::Lanes)}; }
LF_INLINE Ints to_ints(F32 a) { return {__builtin_convertvector(a.v, Ints::Lanes)}; }  // of whole a
