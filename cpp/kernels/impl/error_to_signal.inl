// The error-to-signal ratio of whole signals: a sample is `steps` rows, a column is a channel.
//
// With d = p - t, both filtered by x[n] - a x[n - 1], of the n rows of a sample whose weight w is
// not 0: E = sum of w d^2 / (sum of t^2 + n epsilon). The second part compares means of what is not
// filtered: mean of w (mean of d)^2 / (mean of t^2 + epsilon), times its own weight. A skipped row
// counts as 0 in the filter of the next one. The total has n times the mean over channels, so that
// a mean over rows is one over samples of equal length. Parameters: a, that weight, epsilon.

struct SignalSums {
  double errors = 0, energy = 0;                       // filtered
  double d = 0, plain_energy = 0, weights = 0, n = 0;  // not filtered
};

// f(row, weight, d, t, filtered d, filtered t, the row before counts) of the rows that count.
template <class T, class F>
LF_INLINE void for_signal(const LossRows<T>& a, index first, index channel, F f) {
  const double emphasis = double(a.parameters[0]);
  double d_before = 0, t_before = 0;
  bool follows = false;
  for (index r = first; r < first + a.steps; ++r) {
    const double weight = a.weights ? double(a.weights[r]) : 1.0;
    if (weight == 0) {
      d_before = t_before = 0;
      follows = false;
      continue;
    }
    const double t = double(a.target[r * a.target_stride + channel]);
    const double d = double(a.prediction[r * a.prediction_stride + channel]) - t;
    f(r, weight, d, t, d - emphasis * d_before, t - emphasis * t_before, follows);
    d_before = d, t_before = t;
    follows = true;
  }
}

template <class T>
LF_INLINE double error_to_signal_channel(const LossRows<T>& a, index first, index channel) {
  SignalSums sums;
  for_signal(a, first, channel,
             [&](index, double w, double d, double t, double error, double signal, bool) {
               sums.errors += w * error * error, sums.energy += signal * signal;
               sums.d += d, sums.plain_energy += t * t, sums.weights += w, sums.n += 1;
             });
  if (sums.n == 0) return 0;
  const double of_means = double(a.parameters[1]), least = double(a.parameters[2]) * sums.n;
  const double of_error = 1 / (sums.energy + least);
  const double mean = sums.d / sums.n;
  const double of_mean = of_means * (sums.weights / (sums.plain_energy + least));
  if (a.gradient) {
    const double emphasis = double(a.parameters[0]);
    const double scale = 2 * double(a.scale) * sums.n / double(a.columns);
    T* const gradient = a.gradient + channel;
    for_signal(a, first, channel,
               [&](index r, double w, double, double, double error, double, bool follows) {
                 const double slope = scale * w * error * of_error;
                 gradient[r * a.gradient_stride] = T(slope + scale * mean * of_mean / sums.n);
                 if (follows) gradient[(r - 1) * a.gradient_stride] -= T(emphasis * slope);
               });
  }
  return sums.n * (sums.errors * of_error + mean * mean * of_mean) / double(a.columns);
}

template <class T>
void error_to_signal(const LossRows<T>& a) {
  double total = 0;
  for (index first = 0; first < a.rows; first += a.steps) {
    for (index r = first; a.gradient && r < first + a.steps; ++r) {
      for (index c = 0; c < a.columns; ++c) a.gradient[r * a.gradient_stride + c] = 0;
    }
    for (index c = 0; c < a.columns; ++c) total += error_to_signal_channel(a, first, c);
  }
  *a.total = total;
}
