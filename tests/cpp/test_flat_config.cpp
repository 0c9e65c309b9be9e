// Flat configurations: typed values, exact numbers, errors that name the key.
#include <doctest/doctest.h>

#include <clocale>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <locale>
#include <random>
#include <string>
#include <vector>

#include "base/flat_config.h"
#include "temp_dir.h"

namespace lstmfast::model {
namespace {

using test::error_of;

base::FlatConfig config_of(const std::string& value) {
  return base::FlatConfig({{"a.k", value}}, "test");
}

TEST_CASE("values of every kind") {
  const base::FlatConfig config({{"layers", "2"},
                                 {"name", "net"},
                                 {"rate", "0.25"},
                                 {"layers.0.units", "50"},
                                 {"layers.0.bias", "true"},
                                 {"layers.0.shape", "?,1"},
                                 {"layers.10.units", "7"}},
                                "model.config");
  CHECK(config.integer("layers") == 2);
  CHECK(config.text("name") == "net");
  CHECK(config.number("rate", 0, 1) == 0.25);
  CHECK(config.choice("name", {"gru", "net"}) == "net");
  CHECK(config.has("name"));
  CHECK_FALSE(config.has("nothing"));
  const base::FlatConfig layer = config.part("layers").part("0");
  CHECK(layer.integer("units") == 50);
  CHECK(layer.flag("bias"));
  CHECK(layer.shape("shape") == std::vector<index>{base::kAnyExtent, 1});
  CHECK(config.part("layers.10").integer("units") == 7);
  config.check_all_used();

  CHECK(config.integer_or("epochs", 5) == 5);
  CHECK(config.number_or("lr", 1e-3) == 1e-3);
  CHECK(config.text_or("kind", "lstm") == "lstm");
  CHECK(config.choice_or("kind", {"a"}, "b") == "b");
  CHECK(config.flag_or("shuffle", true));
  CHECK_FALSE(layer.flag_or("peephole", false));
}

TEST_CASE("integers") {
  const auto value = [](const char* text, index low = 1, index high = base::kMaxInteger) {
    return config_of(text).part("a").integer("k", low, high);
  };
  CHECK(value("1") == 1);
  CHECK(value("2147483647") == 2147483647);
  CHECK(value("-9223372036854775808", std::numeric_limits<index>::min(), 0) ==
        std::numeric_limits<index>::min());
  for (const char* bad : {"", "abc", "0", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x10",
                          "2147483648", "99999999999999999999", "1,000", "१"}) {
    CHECK(error_of([&] { value(bad); }) ==
          std::string("[test] a.k is \"") + bad + "\"; expected an integer from 1 to 2147483647");
  }
  CHECK(error_of([&] { config_of("11").integer_or("a.k", 3, 0, 10); }) ==
        "[test] a.k is \"11\"; expected an integer from 0 to 10");
  CHECK(error_of([&] { config_of("1").integer("b"); }) ==
        "[test] b is missing; expected an integer from 1 to 2147483647");
}

TEST_CASE("numbers") {
  const auto value = [](const std::string& text) { return config_of(text).number("a.k"); };
  CHECK(value("0.1") == 0.1);
  CHECK(value("-1e-3") == -1e-3);
  CHECK(value("5") == 5.0);
  CHECK(std::signbit(value("-0")));
  for (const char* bad : {"", "x", "nan", "inf", "-inf", "1e400", "0,5", "1.5f", " 1", "1 ", "+1",
                          "0x1p3", "1e", "--1", "1..2"}) {
    CHECK(error_of([&] { value(bad); }) ==
          std::string("[test] a.k is \"") + bad + "\"; expected a finite number");
  }
  CHECK(error_of([&] { config_of("1.5").number("a.k", 0, 1); }) ==
        "[test] a.k is \"1.5\"; expected a number from 0 to 1");
  CHECK(error_of([&] { config_of("-1").number_or("a.k", 1, 0); }) ==
        "[test] a.k is \"-1\"; expected a finite number of at least 0");
  CHECK(error_of([&] { config_of("7").number("a.k", base::FlatConfig::kLowest, 0.5); }) ==
        "[test] a.k is \"7\"; expected a finite number of at most 0.5");
}

TEST_CASE("every double comes back with its bits") {
  std::vector<double> values = {0.0,
                                -0.0,
                                0.1,
                                1e-7,
                                1e22,
                                1e23,
                                1.0 / 3,
                                std::numeric_limits<double>::max(),
                                std::numeric_limits<double>::lowest(),
                                std::numeric_limits<double>::min(),
                                std::numeric_limits<double>::denorm_min()};
  std::mt19937_64 random(7);
  while (values.size() < 20000) {
    const std::uint64_t bits = random();
    double value;
    std::memcpy(&value, &bits, sizeof value);
    if (std::isfinite(value)) values.push_back(value);
  }
  int wrong = 0;
  for (const double value : values) {
    const double back = config_of(base::number_text(value)).number("a.k");
    wrong += std::memcmp(&value, &back, sizeof value) != 0;
  }
  CHECK(wrong == 0);
  CHECK(base::number_text(0.001) == "0.001");
}

TEST_CASE("numbers do not depend on the locale") {
  struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    std::string do_grouping() const override { return "\3"; }
    char do_thousands_sep() const override { return '.'; }
  };
  const std::locale before = std::locale::global(std::locale(std::locale(), new Comma));
  const std::string c_before = std::setlocale(LC_ALL, nullptr);
  std::setlocale(LC_ALL, "de_DE.UTF-8");  // where the system has it
  CHECK(base::number_text(1234.5) == "1234.5");
  CHECK(base::integer_text(1234567) == "1234567");
  CHECK(config_of("1234.5").number("a.k") == 1234.5);
  CHECK(error_of([] { config_of("0").integer("a.k", 1, 1234567); }) ==
        "[test] a.k is \"0\"; expected an integer from 1 to 1234567");
  std::setlocale(LC_ALL, c_before.c_str());
  std::locale::global(before);
}

TEST_CASE("flags, choices and shapes") {
  for (const char* bad : {"True", "1", "", "yes", "true "}) {
    CHECK(error_of([&] { config_of(bad).flag("a.k"); }) ==
          std::string("[test] a.k is \"") + bad + "\"; expected \"true\" or \"false\"");
  }
  CHECK(error_of([] { config_of("lstmm").part("a").choice("k", {"dense", "lstm"}); }) ==
        "[test] a.k is \"lstmm\"; expected one of \"dense\", \"lstm\"");
  CHECK(error_of([] { config_of("x").choice("b", {"dense"}); }) ==
        "[test] b is missing; expected one of \"dense\"");

  const auto shape = [](const std::string& text) { return config_of(text).shape("a.k"); };
  for (const std::vector<index>& extents : {std::vector<index>{},
                                            {3},
                                            {3, 1},
                                            {base::kAnyExtent, 1},
                                            {base::kAnyExtent, base::kMaxInteger}}) {
    CHECK(shape(base::extents_text(extents)) == extents);
  }
  CHECK(base::extents_text({base::kAnyExtent, 1}) == "?,1");
  for (const char* bad : {",", "3,", ",3", "3,,1", "0", "-1", "a", "3 ,1", "??", "2147483648"}) {
    CHECK(error_of([&] { shape(bad); }) == std::string("[test] a.k is \"") + bad +
                                               "\"; expected extents such as \"3,1\" or \"?,1\"");
  }
  CHECK(base::flag_text(true) == "true");
}

TEST_CASE("unknown keys are named beside the known ones") {
  const base::FlatConfig config(
      {{"layers", "1"}, {"layers.0.unit", "3"}, {"loss", "mse"}, {"layers.1.units", "3"}}, "m");
  config.integer("layers");
  config.text("loss");
  const base::FlatConfig layer = config.part("layers.0");
  layer.integer_or("units", 1);
  layer.text_or("kind", "lstm");
  CHECK(error_of([&] { layer.check_all_used(); }) ==
        "[m] unknown key layers.0.unit; expected one of layers.0.kind, layers.0.units");
  layer.text("unit");
  layer.check_all_used();
  CHECK(error_of([&] { config.check_all_used(); }) ==
        "[m] unknown key layers.1.units; expected one of layers.0");
  const base::FlatConfig top({{"los", "mse"}}, "m");
  CHECK(error_of([&] { top.check_all_used(); }) == "[m] unknown key los; expected no keys at all");
  top.has("loss");
  top.has("optimizer.kind");
  CHECK(error_of([&] { top.check_all_used(); }) ==
        "[m] unknown key los; expected one of loss, optimizer");
}

TEST_CASE("entries of a part count as used") {
  const base::FlatConfig config({{"extra.a", "1"}, {"extra.b.c", "2"}, {"extras", "3"}}, "m");
  CHECK(config.part("extra").entries() == base::FlatConfig::Map{{"a", "1"}, {"b.c", "2"}});
  config.has("extras");
  config.check_all_used();
}

TEST_CASE("foreign text is harmless in messages") {
  CHECK(error_of([] { config_of("\xff\n\"").flag("a.k"); }) ==
        "[test] a.k is \"\\xff\\x0a\"\"; expected \"true\" or \"false\"");
  const std::string error = error_of([] { config_of(std::string(100000, 'x')).flag("a.k"); });
  CHECK(error.size() < 200);
  CHECK(error_of([] { config_of("a").part("a").fail("k", "something else"); }) ==
        "[test] a.k is \"a\"; expected something else");
}

}  // namespace
}  // namespace lstmfast::model
