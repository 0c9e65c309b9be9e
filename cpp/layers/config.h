// What a layer reads of its configuration, whatever stands behind it. Knows no keys and no file.
#pragma once

#include <string>
#include <vector>

#include "base/plain.h"

namespace lstmfast::layers {

// Keys are the layer's own: "units". A value of the wrong kind or out of bounds, and an absent key
// where there is no fallback, are std::invalid_argument naming the key.
class Config {
 public:
  virtual ~Config() = default;

  virtual std::string choice(const std::string& key,
                             const std::vector<std::string>& names) const = 0;
  virtual std::string choice_or(const std::string& key, const std::vector<std::string>& names,
                                const std::string& fallback) const = 0;
  // "elu" or "elu:0.5": one of `names`, and the finite numbers that follow it behind colons.
  virtual std::string choice_with_numbers_or(const std::string& key,
                                             const std::vector<std::string>& names,
                                             const std::string& fallback,
                                             std::vector<double>* numbers) const = 0;
  virtual index integer(const std::string& key, index low, index high) const = 0;
  virtual double number(const std::string& key, double low, double high) const = 0;
  virtual bool flag_or(const std::string& key, bool fallback) const = 0;

  // Throws "... KEY is VALUE; expected <expected>".
  [[noreturn]] virtual void fail(const std::string& key, const std::string& expected) const = 0;
};

// Upper bound of `units` and of feature counts: products of two of them stay far from overflow.
constexpr index kMaxUnits = index{1} << 24;

}  // namespace lstmfast::layers
