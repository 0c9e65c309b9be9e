// Tables of options: typed values and texts of files, exact numbers, errors that name the key.
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

#include "base/options.h"
#include "support.h"

namespace lstmfast::base {
namespace {

using test::message_of;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// What reading `value` by `option` says is wrong; "" where it is right.
std::string error_of(const Option& option, const Value& value) {
  return message_of([&] { OptionReader({{"a.k", value}}, "test").part("a").read(option); });
}
Value read(const Option& option, const Value& value) {
  return OptionReader({{"a.k", value}}, "test").part("a").read(option);
}

const OptionTable& layer_table() {
  static const OptionTable table{
      {integer("units", kRequired, 1), number("rate", 0.5, from_to(0, 1)), flag("bias", true),
       text("mode", "one", {"one", "two"}), extents("shape", Extents{kAnyExtent, 1}),
       integer("every", none(), 1), numbers("ends", Numbers{}, at_least(0))}};
  return table;
}

TEST_CASE("a table reads typed values and texts of files alike") {
  const Options typed = {{"l.units", 50},
                         {"l.rate", 1},
                         {"l.bias", false},
                         {"l.mode", "two"},
                         {"l.shape", Extents{3, kAnyExtent, 1}},
                         {"l.every", 7},
                         {"l.ends", Numbers{1, 0.1, 1e30}}};
  for (const Options& given : {typed, from_texts(to_texts(typed))}) {
    const OptionReader reader(given, "test");
    const Values values = reader.part("l").read(layer_table());
    reader.check_all_used();
    CHECK(values["units"].integer() == 50);
    CHECK(values["rate"].number() == 1);
    CHECK_FALSE(values["bias"].flag());
    CHECK(values["mode"].text() == "two");
    CHECK(values["shape"].extents() == Extents{3, kAnyExtent, 1});
    CHECK(values["every"].integer() == 7);
    CHECK(values["ends"].numbers() == Numbers{1, 0.1, 1e30});
    Options normal = typed;
    normal["l.rate"] = 1.0;
    CHECK(reader.typed() == normal);
  }
}

TEST_CASE("what is not given is the fallback, and not among what was read") {
  const OptionReader reader({{"units", 2}, {"every", none()}}, "test");
  const Values values = reader.read(layer_table());
  CHECK(values["rate"].number() == 0.5);
  CHECK(values["bias"].flag());
  CHECK(values["mode"].text() == "one");
  CHECK(values["shape"].extents() == Extents{kAnyExtent, 1});
  CHECK(values["every"].none());
  CHECK(reader.typed() == Options{{"units", 2}});
  CHECK(message_of([] { OptionReader(Options(), "test").read(layer_table()); }) ==
        "[test] units is missing; expected an integer from 1 to 2147483647");
}

TEST_CASE("a value of the wrong type is an error other than one of the wrong content") {
  const auto check = [](const Option& option, const Value& value, const std::string& expected) {
    CHECK(error_of(option, value) ==
          "[test] a.k is " + type_shown(value) + "; expected " + expected);
    CHECK_THROWS_AS(read(option, value), WrongType);
  };
  check(flag("k", true), 1, "True or False");
  check(integer("k", kRequired, 0, 5), 2.0, "an integer from 0 to 5");
  check(integer("k", kRequired, 0, 5), true, "an integer from 0 to 5");
  check(integer("k", kRequired, 0, 5), none(), "an integer from 0 to 5");
  check(number("k", 0.0), "1", "a finite number");
  check(number("k", 0.0), true, "a finite number");
  check(text("k", ""), 3, "a string");
  check(extents("k", kRequired), 3, "sizes such as (3, 1) or (None, 1)");
  check(number("k", none()), Foreign{"of type list"}, "a finite number, or None");
  check(number("k", 0.0), Numbers{1}, "a finite number");
  check(numbers("k", kRequired), Extents{1, kAnyExtent}, "a list of finite numbers");
  CHECK(read(numbers("k", kRequired), Extents{3, 1}) == Value(Numbers{3, 1}));

  Foreign huge;
  huge.text = "10**30";
  huge.integer = true;
  huge.number = 1e30;
  CHECK(read(number("k", 0.0), huge).number() == 1e30);
  CHECK(error_of(integer("k", kRequired, 0, 5), huge) ==
        "[test] a.k is 10**30; expected an integer from 0 to 5");
  CHECK_THROWS_AS(read(flag("k", true), huge), WrongType);
  huge.number = std::numeric_limits<double>::infinity();
  CHECK(error_of(number("k", 0.0), huge) == "[test] a.k is 10**30; expected a finite number");
}

TEST_CASE("ranges and choices") {
  const auto number_error = [](Bounds bounds, double value) {
    return error_of(number("k", kRequired, bounds), value);
  };
  CHECK(number_error(from_to(0, 1), 1).empty());
  CHECK(number_error(from_to(0, 1), 1.5) == "[test] a.k is 1.5; expected a number from 0 to 1");
  CHECK(number_error(from_to_below(0, 1), 0).empty());
  CHECK(number_error(from_to_below(0, 1), 1) ==
        "[test] a.k is 1; expected a number from 0 to below 1");
  CHECK(number_error(above(0), 0) == "[test] a.k is 0; expected a number above 0");
  CHECK(number_error(at_least(0), -1) == "[test] a.k is -1; expected a number of at least 0");
  for (const double bad : {kNan, HUGE_VAL, -HUGE_VAL}) CHECK_FALSE(number_error({}, bad).empty());
  CHECK(number_error({}, kNan) == "[test] a.k is nan; expected a finite number");

  CHECK(error_of(integer("k", kRequired, 1), 0) ==
        "[test] a.k is 0; expected an integer from 1 to 2147483647");
  CHECK(error_of(integer("k", kRequired, 0, std::numeric_limits<index>::max()), -1) ==
        "[test] a.k is -1; expected an integer of at least 0");
  CHECK(error_of(text("k", "a", {"a", "b"}), "c") ==
        "[test] a.k is \"c\"; expected one of \"a\", \"b\"");
  CHECK(error_of(extents("k", kRequired), Extents{3, 0}) ==
        "[test] a.k is (3, 0); expected sizes such as (3, 1) or (None, 1)");
  CHECK(error_of(numbers("k", kRequired, above(0)), Numbers{3, kNan}) ==
        "[test] a.k is (3, nan); expected a list of numbers above 0");
  CHECK(error_of(numbers("k", kRequired), FileText{"1,x"}) ==
        "[test] a.k is \"1,x\"; expected a list of finite numbers");

  Option several = integer("k", none(), 1, 9);
  several.takes |= kText;
  several.choices = {"sqrt"};
  CHECK(error_of(several, 3).empty());
  CHECK(read(several, FileText{"sqrt"}).text() == "sqrt");
  CHECK(read(several, FileText{"4"}).integer() == 4);
  CHECK(error_of(several, "root") ==
        "[test] a.k is \"root\"; expected an integer from 1 to 9, or \"sqrt\", or None");
}

TEST_CASE("texts of files that are no value") {
  for (const char* bad : {"", "abc", "+1", " 1", "1 ", "1.0", "1e3", "0x10", "2147483648",
                          "99999999999999999999", "1,000", "१"}) {
    CHECK(error_of(integer("k", kRequired, 1), FileText{bad}) ==
          std::string("[test] a.k is \"") + bad + "\"; expected an integer from 1 to 2147483647");
  }
  for (const char* bad : {"", "x", "nan", "inf", "-inf", "1e400", "0,5", "1.5f", " 1", "1 ", "+1",
                          "0x1p3", "1e", "--1", "1..2"}) {
    CHECK(error_of(number("k", kRequired), FileText{bad}) ==
          std::string("[test] a.k is \"") + bad + "\"; expected a finite number");
  }
  for (const char* bad : {"True", "1", "", "yes", "true "}) {
    CHECK(error_of(flag("k", true), FileText{bad}) ==
          std::string("[test] a.k is \"") + bad + "\"; expected True or False");
  }
  for (const char* bad : {",", "3,", ",3", "3,,1", "0", "-1", "a", "3 ,1", "??", "2147483648"}) {
    CHECK(error_of(extents("k", kRequired), FileText{bad}) ==
          std::string("[test] a.k is \"") + bad + "\"; expected sizes such as (3, 1) or (None, 1)");
  }
  CHECK(error_of(number("k", none()), FileText{"None"}) ==
        "[test] a.k is \"None\"; expected a finite number, or None");
}

TEST_CASE("every double comes back from a file with its bits") {
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
    double back = 0;
    wrong += !parse(file_text(value), &back) || std::memcmp(&value, &back, sizeof value) != 0;
  }
  CHECK(wrong == 0);
  CHECK(number_text(0.001) == "0.001");
}

TEST_CASE("values do not depend on the locale") {
  struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    std::string do_grouping() const override { return "\3"; }
    char do_thousands_sep() const override { return '.'; }
  };
  const std::locale before = std::locale::global(std::locale(std::locale(), new Comma));
  const std::string c_before = std::setlocale(LC_ALL, nullptr);
  std::setlocale(LC_ALL, "de_DE.UTF-8");  // where the system has it
  CHECK(file_text(1234.5) == "1234.5");
  CHECK(file_text(1234567) == "1234567");
  CHECK(read(number("k", kRequired), FileText{"1234.5"}).number() == 1234.5);
  CHECK(error_of(integer("k", kRequired, 1, 1234567), 0) ==
        "[test] a.k is 0; expected an integer from 1 to 1234567");
  std::setlocale(LC_ALL, c_before.c_str());
  std::locale::global(before);
}

TEST_CASE("unknown keys are named next to the known ones") {
  const OptionReader config({{"layers", 1}, {"layers.0.unit", 3}, {"los", "mse"}}, "m");
  config.read(integer("layers", kRequired, 1));
  const OptionReader layer = config.part("layers.0");
  layer.read(integer("units", 1, 1));
  layer.has("kind");
  CHECK(
      message_of([&] { layer.check_all_used(); }) ==
      "[m] unknown key layers.0.unit; expected one of layers.0.kind, layers.0.units; did you mean "
      "layers.0.units?");
  layer.has("unit");
  layer.check_all_used();
  config.has("optimizer.kind");
  CHECK(message_of([&] { config.check_all_used(); }) ==
        "[m] unknown key los; expected one of layers, optimizer");
  config.has("loss");
  CHECK(message_of([&] { config.check_all_used(); }) ==
        "[m] unknown key los; expected one of layers, loss, optimizer; did you mean loss?");
  CHECK(message_of([] { OptionReader({{"a", 1}}, "m").check_all_used(); }) ==
        "[m] unknown key a; expected no keys at all");
}

TEST_CASE("entries of a part count as used") {
  const OptionReader config({{"extra.a", 1}, {"extra.b.c", "2"}, {"extras", 3}}, "m");
  CHECK(config.part("extra").entries() == Options{{"a", 1}, {"b.c", "2"}});
  config.has("extras");
  config.check_all_used();
}

TEST_CASE("values may exclude each other") {
  const OptionTable table{{number("limit", none()), flag("off", false)}, [](const Values& values) {
                            if (values["off"].flag()) values.fail("limit", "None with off=True");
                          }};
  const OptionReader reader({{"m.limit", 1}, {"m.off", true}}, "test");
  CHECK(message_of([&] { reader.part("m").read(table); }) ==
        "[test] m.limit is 1; expected None with off=True");
}

TEST_CASE("foreign text is harmless in messages") {
  CHECK(error_of(flag("k", true), FileText{"\xff\n\""}) ==
        "[test] a.k is \"\\xff\\x0a\"\"; expected True or False");
  CHECK(error_of(flag("k", true), FileText{std::string(100000, 'x')}).size() < 200);
  CHECK(message_of([] { OptionReader({{"a", "b"}}, "m").fail("a", "something else"); }) ==
        "[m] a is \"b\"; expected something else");
}

}  // namespace
}  // namespace lstmfast::base
