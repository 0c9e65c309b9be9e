// Prints the lines of standard input whose number comes as a surprise, as soon as they are read.
//
//   python examples/anomaly.py --column 2 --train past.csv --save usual.safetensors < /dev/null
//   tail -f log.csv | anomaly usual.safetensors past.csv --column 2
//
// The model has learned to predict the next number of lines as they usually are; PAST, such lines,
// says how numbers are scaled and how far from them predictions usually are. The lines and scores
// are those of examples/anomaly.py.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iostream>
#include <lstmfast/lstmfast.hpp>

#include "arguments.h"

namespace {

constexpr char kUsage[] = "usage: anomaly MODEL PAST [--column N] [--threshold SCORE] < LINES";
constexpr std::size_t kSteps = 32;     // of PAST that come before the first error that counts
constexpr std::size_t kRecent = 1000;  // errors that say what is usual

// The number in a column of a comma-separated line, NaN if it has none: then it is reported.
double number(const std::string& line, int column, long place) {
  std::size_t from = 0;
  for (int k = 1; k < column && from != std::string::npos; ++k) {
    from = line.find(',', from);
    if (from != std::string::npos) ++from;
  }
  if (from != std::string::npos) {
    const std::string cell = line.substr(from, line.find(',', from) - from);
    char* end = nullptr;
    const double value = std::strtod(cell.c_str(), &end);
    const std::size_t read = static_cast<std::size_t>(end - cell.c_str());
    const bool whole = read > 0 && cell.find_first_not_of(" \t\r", read) == std::string::npos;
    if (whole && std::isfinite(value)) return value;
  }
  std::fprintf(stderr, "line %ld: no number in column %d: %.40s\n", place, column, line.c_str());
  return std::nan("");
}

double quantile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  const double at = part * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (values[above] - values[below]) * (at - std::floor(at));
}

double deviation(const std::vector<double>& values) {
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

// Scores values one after the other, after those of the past.
class Detector {
 public:
  Detector(const lstmfast::Model& model, const std::vector<double>& past)
      : stream_(model), middle_(quantile(past, 0.5)) {
    if (stream_.inputs() != 1 || stream_.outputs() != 1 || stream_.input().count != 1 ||
        stream_.output().count != 1 || stream_.dtype() != LSTMFAST_FLOAT32) {
      throw std::runtime_error("expected a float32 model that makes a number of a number");
    }
    scale_ = quantile(past, 0.75) - quantile(past, 0.25);
    if (scale_ == 0) scale_ = deviation(past);
    if (scale_ == 0) scale_ = 1;
    for (std::size_t t = 0; t < past.size(); ++t) {
      const auto x = static_cast<float>(std::clamp((past[t] - middle_) / scale_, -10.0, 10.0));
      if (t >= kSteps) keep(x - next_);
      step(x);
    }
  }

  struct Surprise {
    double expected, score;
  };
  Surprise score(double value, double threshold) {
    const double expected = next_, error = (value - middle_) / scale_ - expected;
    std::vector<double> errors(errors_.begin(), errors_.end());
    const double bias = quantile(errors, 0.5);
    for (double& each : errors) each = std::abs(each - bias);
    const double usual = std::max(1.4826 * quantile(errors, 0.5), 1e-6);
    keep(error);
    const double score = std::abs(error - bias) / usual;
    // A single surprise is kept from the model, which would predict from it; of those after it the
    // model gets as much as is usual, so that it follows to a new level.
    const double limit = score > threshold && !surprised_ ? 0 : threshold * usual;
    surprised_ = score > threshold;
    step(static_cast<float>(expected + std::clamp(error, -limit, limit)));
    return {expected * scale_ + middle_, score};
  }

  // For a line without a number: the model gets the one that it expected.
  void skip() { step(next_); }

 private:
  void step(float x) { stream_.step(&x, &next_); }
  void keep(double error) {
    errors_.push_back(error);
    if (errors_.size() > kRecent) errors_.pop_front();
  }

  lstmfast::Stream stream_;
  double middle_, scale_;
  std::deque<double> errors_;
  float next_ = 0;
  bool surprised_ = false;
};

}  // namespace

int main(int count, char** words) try {
  auto [files, numbers] =
      read_arguments(count, words, 2, {{"--column", 1}, {"--threshold", 8}}, kUsage);
  if (!(numbers["--column"] >= 1 && numbers["--column"] <= 1000)) {
    throw std::runtime_error("--column: expected 1 to 1000");
  }
  const auto column = static_cast<int>(numbers["--column"]);
  const double threshold = numbers["--threshold"];

  std::ifstream file(files[1]);
  std::vector<double> past;
  std::string line;
  for (long place = 1; std::getline(file, line); ++place) {
    const double value = number(line, column, place);
    if (!std::isnan(value)) past.push_back(value);
  }
  if (past.size() <= 2 * kSteps) {
    throw std::runtime_error(std::to_string(past.size()) + " numbers in " + files[1] +
                             "; expected more than " + std::to_string(2 * kSteps));
  }
  Detector detector(lstmfast::Model::load(files[0]), past);
  for (long place = 1; std::getline(std::cin, line); ++place) {
    const double value = number(line, column, place);
    if (std::isnan(value)) {
      detector.skip();
      continue;
    }
    const auto [expected, score] = detector.score(value, threshold);
    if (score > threshold) {
      std::printf("line %ld: %g, expected %.4g, score %.3g\n", place, value, expected, score);
      std::fflush(stdout);
    }
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
