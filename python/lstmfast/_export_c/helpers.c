static float nn_min(float a, float b) { return a < b ? a : b; }

static float nn_max(float a, float b) { return a > b ? a : b; }

static float nn_clamp(float x, float low, float high) { return nn_max(low, nn_min(high, x)); }

static uint32_t nn_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static float nn_float(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static float nn_abs(float x) { return nn_float(nn_bits(x) & 0x7fffffffu); }

/* The magnitude of x, which has no sign, with the sign of y. */
static float nn_with_sign(float x, float y) {
  return nn_float(nn_bits(x) | (nn_bits(y) & 0x80000000u));
}

/* The nearest integer, ties to even, for |x| < 2^22. */
static float nn_round(float x) { return (x + 12582912.0f) - 12582912.0f; }

/* 2^n for integral n of the exponent range: the sum has n + 127 in its low bits. */
static float nn_pow2(float n) { return nn_float(nn_bits(n + 12583039.0f) << 23); }

/* x 2^n, where n may leave the exponent range. */
static float nn_scale2(float x, float n) {
  const float half = nn_round(n * 0.5f);
  return x * nn_pow2(half) * nn_pow2(n - half);
}

/* e^r - 1 for |r| <= ln 2 / 2. */
static float nn_expm1_small(float r) {
  const float r2 = r * r;
  const float q = 0.0013926213141530752f * r + 0.008363203145563602f;
  const float p = q * r2 + (0.041666556149721146f * r + 0.16666576266288757f);
  return p * (r2 * r) + (0.5f * r2 + r);
}

/* With x = n ln 2 + r: n, and e^r - 1, which is returned. */
static float nn_expm1_reduced(float x, float* n) {
  *n = nn_round(x * 1.44269504f);
  return nn_expm1_small((x - *n * 0.693359375f) - *n * -0.00021219444f);
}

static float nn_exp(float x) {
  float n;
  const float p = nn_expm1_reduced(nn_clamp(x, -104.0f, 104.0f), &n);
  return nn_scale2(p + 1.0f, n);
}

/* e^x - 1 for x up to 88. */
static float nn_expm1(float x) {
  float n;
  const float p = nn_expm1_reduced(nn_clamp(x, -104.0f, 104.0f), &n);
  const float s = nn_scale2(1.0f, n);
  return s * p + (s - 1.0f);
}

/* Of denormal results, from a divisor above 2^126 on, 0. */
static float nn_sigmoid(float x) {
  float n;
  const float p = nn_expm1_reduced(nn_clamp(0.0f - x, -88.0f, 88.0f), &n);
  const float s = nn_pow2(n), d = 1.0f + (s * p + s);
  return d > 8.50705917e37f ? 0.0f : 1.0f / d;
}

static float nn_tanh(float x) {
  float n;
  const float a = nn_abs(x);
  const float p = nn_expm1_reduced(nn_min(20.0f, a + a), &n);
  const float s = nn_pow2(n);
  const float e = nn_min(33554432.0f, s * p + (s - 1.0f));
  return nn_with_sign(e / (e + 2.0f), x);
}

/* The nearest number to the square root: the result's bits from the highest on. */
static float nn_sqrt(float x) {
  const uint32_t bits = nn_bits(x);
  if (!(x > 0.0f) || bits >= 0x7f800000u) return x < 0.0f ? (x - x) / 0.0f : x;
  const uint32_t exponent = bits >> 23;
  uint64_t left = (bits & 0x7fffffu) | 0x800000u;
  left <<= exponent & 1u ? 25 : 26; /* an even exponent, and a root of 25 bits: one to round by */
  uint64_t root = 0;
  for (uint64_t bit = (uint64_t)1 << 24; bit != 0; bit >>= 1) {
    if ((root + bit) * (root + bit) <= left) root += bit;
  }
  root += root & 1u; /* never a tie: the square of an odd root is odd */
  return nn_float((uint32_t)(root >> 1) + (((exponent + 127u) / 2u - 1u) << 23));
}

/* log(1 + e) for 0 <= e <= 1. */
static float nn_log1p_unit(float e) {
  static const float c[5] = {0.3333333432674408f, 0.19999852776527405f, 0.14296196401119232f,
                             0.10853000730276108f, 0.11613646149635315f};
  const float s = e / (e + 2.0f), u = s * s;
  float p = c[4];
  for (int k = 3; k >= 0; --k) p = p * u + c[k];
  return (s * u * p + s) * 2.0f;
}

static float nn_relu(float x) { return nn_max(0.0f, x); }

/* x above the threshold, at most `most`; below it factor (x - threshold). */
static float nn_rectify(float x, float threshold, float most, float factor) {
  const float d = x - threshold;
  if (threshold < x) return nn_min(most, x);
  if (x < threshold) return nn_abs(factor) > 0.0f ? d * factor : 0.0f;
  return d;
}

static float nn_hard_sigmoid(float x, float alpha, float beta) {
  return nn_clamp(x * alpha + beta, 0.0f, 1.0f);
}

static float nn_leaky_relu(float x, float alpha) { return x < 0.0f ? x * alpha : x; }

static float nn_elu(float x, float alpha) { return x < 0.0f ? alpha * nn_expm1(x) : x; }

static float nn_softplus(float x) {
  return nn_max(0.0f, x) + nn_log1p_unit(nn_exp(0.0f - nn_abs(x)));
}

static float nn_softsign(float x) {
  const float t = nn_clamp(x, -1e30f, 1e30f);
  return t / (1.0f + nn_abs(t));
}

static float nn_exponential(float x) { return nn_exp(x); }

static float nn_relu6(float x) { return nn_clamp(x, 0.0f, 6.0f); }

static float nn_selu(float x) { return x < 0.0f ? 1.75809934f * nn_expm1(x) : 1.05070099f * x; }

static float nn_celu(float x, float alpha) { return x < 0.0f ? alpha * nn_expm1(x / alpha) : x; }

/* x P(x), P the normal distribution, by its left tail P(-a) = e^(-a^2 / 2) r. */
static float nn_gelu(float x) {
  static const float c[11] = {
      0.7290837168693542f,     -0.509332001209259f,     0.23001767694950104f,
      -0.0472627617418766f,    -0.010462288744747639f,  0.006969920359551907f,
      0.0010241572745144367f,  -0.0010344765614718199f, -0.0002447093138471246f,
      0.00013332394883036613f, 5.549187335418537e-05f};
  const float a = nn_min(15.0f, nn_abs(x)), d = 1.0f / (a + 3.0f), t = (a - 3.0f) * d;
  float p = c[10];
  for (int k = 9; k >= 0; --k) p = p * t + c[k];
  /* a^2 = whole^2 + (a - whole) (a + whole): the first exact, the second small */
  const float whole = nn_round(a * 256.0f) * (1.0f / 256.0f);
  const float high = -0.5f * whole * whole, low = -0.5f * (a - whole) * (a + whole);
  const float n = nn_round((high + low) * 1.44269504f);
  const float r = ((high - n * 0.693359375f) + low) - n * -0.00021219444f;
  const float w = a * (p * d) * nn_scale2(nn_expm1_small(r) + 1.0f, n);
  return x < 0.0f ? 0.0f - w : x - w;
}

static float nn_gelu_tanh(float x) {
  const float v = nn_clamp(x, -32.0f, 32.0f);
  return nn_max(-32.0f, x) * nn_sigmoid(v * (0.0713548163f * (v * v) + 1.59576912f));
}

static float nn_silu(float x) { return nn_max(-104.0f, x) * nn_sigmoid(x); }

static float nn_mish(float x) {
  const float e = nn_exp(nn_clamp(x, -104.0f, 20.0f)), n = e * (e + 2.0f);
  return nn_max(-104.0f, x) * (n / (n + 2.0f));
}

static float nn_tanh_shrink(float x) { return x - nn_tanh(x); }

static float nn_log_sigmoid(float x) { return 0.0f - nn_softplus(0.0f - x); }

static float nn_hard_silu(float x) {
  return x < -3.0f ? 0.0f : x * nn_clamp(x * 0.166666672f + 0.5f, 0.0f, 1.0f);
}

static float nn_hard_tanh(float x) { return nn_clamp(x, -1.0f, 1.0f); }

static float nn_hard_shrink(float x, float alpha) { return alpha < nn_abs(x) ? x : x - x; }

static float nn_soft_shrink(float x, float alpha) {
  return alpha < nn_abs(x) ? x - nn_with_sign(alpha, x) : x - x;
}

static float nn_sparse_plus(float x) {
  const float t = nn_max(0.0f, x + 1.0f);
  return x < 1.0f ? 0.25f * t * t : x;
}

static float nn_sparse_sigmoid(float x) { return nn_clamp(x * 0.5f + 0.5f, 0.0f, 1.0f); }

static float nn_squareplus(float x, float alpha) {
  const float a = nn_abs(x), root = 4611686018427387904.0f < a ? a : nn_sqrt(x * x + alpha);
  return x < 0.0f ? 0.5f * alpha / (root + a) : 0.5f * x + 0.5f * root;
}

static float nn_threshold(float x, float alpha, float beta) {
  if (alpha < x) return x;
  return x < alpha ? beta : beta + (x - alpha);
}

static float nn_thresholded_relu(float x, float alpha) {
  if (alpha < x) return x;
  return x < alpha ? 0.0f : 0.0f + (x - alpha);
}

static float nn_affine(float x, float alpha, float beta) { return alpha * x + beta; }

static float nn_scaled_tanh(float x, float alpha, float beta) { return alpha * nn_tanh(beta * x); }

/* sum + w [n] x [n], term by term. */
static float nn_dot(float sum, const float* w, const float* x, int n) {
  for (int k = 0; k < n; ++k) sum = x[k] * w[k] + sum;
  return sum;
}

/* start + w [n] x [n], of sixteen sums side by side, whose upper half is added to the lower. */
static float nn_dot_by_halves(float start, const float* w, const float* x, int n) {
  float sum[16] = {0.0f};
  for (int k = 0; k < n; ++k) sum[k & 15] = x[k] * w[k] + sum[k & 15];
  for (int half = 8; half > 0; half /= 2) {
    for (int k = 0; k < half; ++k) sum[k] = sum[k] + sum[k + half];
  }
  return start + sum[0];
}

static int32_t nn_dot8(const int8_t* w, const int8_t* x, int n) {
  int32_t sum = 0;
  for (int k = 0; k < n; ++k) sum += w[k] * x[k];
  return sum;
}

/* x [n] as q [n] in -127 .. 127 times the scale that is returned: NaN where x is not finite. */
static float nn_quantise(const float* x, int8_t* q, int n) {
  float most = 0.0f;
  for (int k = 0; k < n; ++k) {
    const float a = nn_abs(x[k]);
    if (a > most || a != a) most = a; /* a NaN stays */
  }
  const float scale = most <= FLT_MAX ? most / 127.0f : most - most;
  const float inverse = 127.0f / most;
  for (int k = 0; k < n; ++k) q[k] = (int8_t)(scale >= FLT_MIN ? nn_round(x[k] * inverse) : 0.0f);
  return scale < FLT_MIN ? 0.0f : scale;
}

/* The sum of x [n]: four sums side by side, of at most 32 terms each before they are added up. */
static float nn_sum(const float* x, int n) {
  double total[4] = {0.0, 0.0, 0.0, 0.0};
  for (int first = 0; first < n; first += 128) {
    const int last = n - first < 128 ? n : first + 128;
    float run[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    for (int k = first; k < last; ++k) run[k % 4] = run[k % 4] + x[k];
    for (int k = 0; k < 4; ++k) total[k] += (double)run[k];
  }
  return (float)(total[0] + total[1] + total[2] + total[3]);
}

static void nn_softmax(float* y, int n) {
  float most = y[0];
  for (int k = 1; k < n; ++k) most = nn_max(most, y[k]);
  for (int k = 0; k < n; ++k) y[k] = nn_exp(y[k] - most);
  const float sum = nn_sum(y, n);
  for (int k = 0; k < n; ++k) y[k] = y[k] / sum;
}

/* v [n] to mean 0 and variance 1, times norm [n], plus norm [n .. 2 n]. */
static void nn_normalise(float* v, const float* norm, int n) {
  float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f}, squares[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  for (int k = 0; k < n; ++k) sum[k % 4] += v[k];
  const float mean = ((sum[0] + sum[2]) + (sum[1] + sum[3])) / (float)n;
  for (int k = 0; k < n; ++k) squares[k % 4] += (v[k] - mean) * (v[k] - mean);
  const float variance = ((squares[0] + squares[2]) + (squares[1] + squares[3])) / (float)n;
  const float factor = 1.0f / nn_sqrt(variance + 1e-5f);
  for (int k = 0; k < n; ++k) v[k] = norm[k] * ((v[k] - mean) * factor) + norm[n + k];
}
