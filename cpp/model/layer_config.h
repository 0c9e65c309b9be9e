// The flat configuration as layers read it. Knows both sides, no keys.
#pragma once

#include "layers/config.h"
#include "model/flat_config.h"

namespace lstmfast::model {

class LayerConfig final : public layers::Config {
 public:
  explicit LayerConfig(FlatConfig config) : config_(std::move(config)) {}

  std::string choice(const std::string& key, const std::vector<std::string>& names) const override {
    return config_.choice(key, names);
  }
  std::string choice_or(const std::string& key, const std::vector<std::string>& names,
                        const std::string& fallback) const override {
    return config_.choice_or(key, names, fallback);
  }
  std::string choice_with_numbers_or(const std::string& key, const std::vector<std::string>& names,
                                     const std::string& fallback,
                                     std::vector<double>* numbers) const override {
    return config_.choice_with_numbers_or(key, names, fallback, numbers);
  }
  index integer(const std::string& key, index low, index high) const override {
    return config_.integer(key, low, high);
  }
  double number(const std::string& key, double low, double high) const override {
    return config_.number(key, low, high);
  }
  bool flag_or(const std::string& key, bool fallback) const override {
    return config_.flag_or(key, fallback);
  }
  [[noreturn]] void fail(const std::string& key, const std::string& expected) const override {
    config_.fail(key, expected);
  }

 private:
  FlatConfig config_;
};

}  // namespace lstmfast::model
