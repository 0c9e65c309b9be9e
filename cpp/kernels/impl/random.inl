// Masks from Philox 4x32-10 (see base/rng.h), one block per lane; see RandomMask in vector_args.h.

constexpr int kPhiloxRounds = 10;

struct PhiloxKeys {
  Words of[kPhiloxRounds][2];
};

LF_INLINE PhiloxKeys philox_keys(uint32_t k0, uint32_t k1) {
  PhiloxKeys keys;
  for (int round = 0; round < kPhiloxRounds; ++round) {
    keys.of[round][0] = Words::set(k0);
    keys.of[round][1] = Words::set(k1);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return keys;
}

// Replaces each lane's counter by its block. Only the low halves of lanes are used, on entry,
// between rounds and in the result: high() shifts a product's high half down, and its low half
// keeps the high half above it.
LF_INLINE void philox(const PhiloxKeys& keys, Words (&c)[4]) {
  const Words mul0 = Words::set(0xD2511F53u), mul1 = Words::set(0xCD9E8D57u);
  LF_UNROLL
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const Words p0 = multiply_low(c[0], mul0), p1 = multiply_low(c[2], mul1);
    c[0] = high(p1) ^ c[1] ^ keys.of[round][0];
    c[1] = p1;
    c[2] = high(p0) ^ c[3] ^ keys.of[round][1];
    c[3] = p0;
  }
}

template <class T>
void random_mask(const RandomMask<T>& a) {
  constexpr int V = Vec<T>::kLanes, L = Words::kLanes;
  constexpr int kVectors = 2 * L / V;  // of T from the 2 L halves of a Words
  const PhiloxKeys keys = philox_keys(a.key[0], a.key[1]);
  // word < drop_below as word <= drop_below - 1; with drop_below 0 nothing is dropped.
  const Words limit = Words::set(0x100000001u * ((a.drop_below - 1) & 0xFFFFFFFFu));
  const Vec<T> dropped = Vec<T>::set(a.drop_below ? a.dropped : a.kept);
  const Vec<T> kept = Vec<T>::set(a.kept);
  // Even lanes compute the first L / 2 blocks, odd lanes the others, in the order that
  // swap_odd_even needs.
  uint64_t order[L];
  for (int lane = 0; lane < L; ++lane) order[lane] = uint64_t(lane / 2 + lane % 2 * (L / 2));
  const Words lanes = Words::load(order);

  for (index r = 0; r < a.rows; ++r) {
    const Words row = Words::set(uint64_t(a.row_numbers ? a.row_numbers[r] : a.first_row + r));
    const Words time = Words::set(uint64_t(a.times ? a.times[r] : a.time));
    T* const out = a.mask + r * a.stride;
    for (index j = 0; j < a.units; j += 4 * L) {
      const Words block = Words::set(uint64_t(j / 4)) + lanes;
      Words c[4] = {block, high(block), row, time};
      philox(keys, c);
      Words halves[2] = {join_low(c[0], c[1]), join_low(c[2], c[3])};
      swap_odd_even(halves[0], halves[1]);
      LF_UNROLL
      for (int k = 0; k < 2; ++k) {
        Mask<T> drop[kVectors];
        halves_up_to(halves[k], limit, drop);
        LF_UNROLL
        for (int v = 0; v < kVectors; ++v) {
          const index at = j + (k * kVectors + v) * V;
          if (at < a.units) store_up_to(select(drop[v], dropped, kept), out + at, a.units - at);
        }
      }
    }
    for_vectors<T>(a.padded - a.units,
                   [&](index j, auto part) { part.store(Vec<T>::zero(), out + a.units + j); });
  }
}
