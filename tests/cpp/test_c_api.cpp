// The C interface and the C++ interface above it, in the shared library: the bits of the core, what
// a step may not do, and that nothing wrong crashes.
#include <doctest/doctest.h>

#include <cstring>
#include <lstmfast/lstmfast.hpp>
#include <string>
#include <thread>
#include <vector>

#include "count_system_work.h"
#include "model/model_file.h"
#include "model_problem.h"
#include "temp_dir.h"

namespace lstmfast {
namespace {

using test::Map;
using test::TempDir;

constexpr index kSteps = 6;

// The bytes of a saved model.
template <class T>
std::string saved(const Map& config) {
  const TempDir dir;
  model::save_model(*test::make_model<T>(config), dir.file("model"), {}, false);
  return test::read_bytes(dir.file("model"));
}

// The model of test::model_config, whose last layer gives a value for each step.
Map in_steps(const std::string& dtype) {
  Map config = test::model_config(dtype, "linear", 2);
  config["layers.2.return_sequences"] = true;
  return config;
}

const std::string& float_model() {
  static const std::string bytes = saved<float>(in_steps("float32"));
  return bytes;
}

Model loaded(const std::string& bytes) { return Model::load(bytes.data(), bytes.size()); }

template <class T>
std::vector<T> numbers(index count) {
  test::Numbers numbers;
  std::vector<T> out;
  for (index i = 0; i < count; ++i) out.push_back(static_cast<T>(numbers.next()));
  return out;
}

template <class T>
void check_bits(lstmfast_dtype dtype) {
  std::string bytes = saved<T>(in_steps(sizeof(T) == 4 ? "float32" : "float64"));
  const Model model = loaded(bytes);
  std::fill(bytes.begin(), bytes.end(), 'x');  // they are not needed any more
  bytes.clear();
  CHECK(model.dtype() == dtype);
  const std::vector<T> x = numbers<T>(2 * kSteps * 3);
  std::vector<T> whole(2 * kSteps * 2);
  model.predict<T>(2, {kSteps}, {x.data()}, {whole.data()});

  Stream stream(model, 2);
  CHECK(stream.state_size() == 2 * 5 + 2 * 6);
  CHECK(stream.memory() >= 2 * stream.state_size() * static_cast<index>(sizeof(T)));
  std::vector<T> y(whole.size()), step_x(2 * 3), step_y(2 * 2);
  CHECK(stream.process(kSteps, x.data(), y.data()) == LSTMFAST_OK);
  CHECK(y == whole);
  stream.reset();
  for (index t = 0; t < kSteps; ++t) {
    for (index r = 0; r < 2; ++r)
      std::copy_n(x.data() + (r * kSteps + t) * 3, 3, step_x.data() + r * 3);
    REQUIRE(stream.step(step_x.data(), step_y.data()) == LSTMFAST_OK);
    for (index i = 0; i < 4; ++i) {
      CHECK(step_y[std::size_t(i)] == whole[std::size_t((i / 2 * kSteps + t) * 2 + i % 2)]);
    }
  }

  // states of rows, rows that begin, copies
  std::vector<T> state(static_cast<std::size_t>(stream.state_size())), other = state;
  CHECK(stream.get_state(1, state.data()) == LSTMFAST_OK);
  CHECK(stream.reset(0) == LSTMFAST_OK);
  Stream copy = stream.copy();
  CHECK(copy.set_state(0, state.data()) == LSTMFAST_OK);
  CHECK(copy.get_state(0, other.data()) == LSTMFAST_OK);
  CHECK(other == state);
  std::copy_n(step_x.data() + 3, 3, step_x.data());
  CHECK(copy.step(step_x.data(), step_y.data()) == LSTMFAST_OK);
  CHECK(step_y[0] == step_y[2]);
  const T begun = step_y[0];
  CHECK(stream.step(step_x.data(), step_y.data()) == LSTMFAST_OK);
  CHECK(step_y[2] == begun);
  CHECK(step_y[0] != begun);
}

TEST_CASE("a loaded model has the bits of predict, whole and step by step") {
  check_bits<float>(LSTMFAST_FLOAT32);
  check_bits<double>(LSTMFAST_FLOAT64);
}

TEST_CASE("shapes are told; a stream keeps the weights of a model that is freed") {
  std::unique_ptr<Stream> stream;
  {
    const Model model = loaded(float_model());
    const Port in = model.input(), out = model.output(), of_five = model.output(0, {5});
    CHECK((in.rank == 2 && in.sizes[0] == -1 && in.sizes[1] == 3 && in.count == -1 && in.ids == 0));
    CHECK((out.sizes[0] == -1 && of_five.sizes[0] == 5 && of_five.count == 10));
    CHECK(model.memory() >= 4 * (3 * 15 + 5 * 15 + 5 * 24 + 6 * 24 + 6 * 2));
    stream = std::make_unique<Stream>(model);
  }
  const Port in = stream->input(), out = stream->output();
  CHECK((in.rank == 1 && in.sizes[0] == 3 && in.count == 3 && in.steps == 1));
  CHECK((out.rank == 1 && out.sizes[0] == 2 && out.count == 2 && out.steps == 1));
  const float x[3] = {1, 2, 3};
  float y[2] = {};
  CHECK(stream->step(x, y) == LSTMFAST_OK);
  CHECK(y[0] != 0);
}

TEST_CASE("ids and several ports") {
  const std::string bytes = saved<float>({{"input_shape", base::Extents{base::kAnyExtent}},
                                          {"layers", 2},
                                          {"layers.0.kind", "embedding"},
                                          {"layers.0.input_dim", 7},
                                          {"layers.0.output_dim", 4},
                                          {"layers.1.kind", "lstm"},
                                          {"layers.1.units", 5}});
  const Model model = loaded(bytes);
  Stream stream(model);
  CHECK(stream.input().ids == 7);
  CHECK(stream.output().steps == 0);
  const std::int32_t ids[4] = {0, 6, 2, 2}, wrong[1] = {7};
  const void* x[1] = {ids};
  std::vector<float> y(5), whole(5), last(5);
  float* const out[1] = {y.data()};
  model.predict<float>(1, {4}, {ids}, {whole.data()});
  CHECK(stream.process_all(4, x, out) == LSTMFAST_OK);
  CHECK(y == whole);
  std::vector<float> before(10), after(10);
  stream.get_state(0, before.data());
  x[0] = wrong;
  CHECK(stream.process_all(1, x, out) == LSTMFAST_INVALID_ARGUMENT);
  CHECK(std::string(lstmfast_error_message()).find("x is 7; expected ids from 0 to 6") !=
        std::string::npos);
  stream.get_state(0, after.data());
  CHECK(before == after);
  CHECK(stream.step(last.data(), last.data()) == LSTMFAST_INVALID_ARGUMENT);
  CHECK(std::string(lstmfast_error_message()).find("use process_all") != std::string::npos);
}

#if COUNTS_SYSTEM_WORK
TEST_CASE("a stream allocates nothing, takes no lock and makes no system call") {
  const Model model = loaded(float_model());
  Stream stream(model, 2);
  const std::vector<float> x = numbers<float>(2 * kSteps * 3);
  std::vector<float> y(2 * kSteps * 2), state(static_cast<std::size_t>(stream.state_size()));
  const auto work = [&] {
    for (int i = 0; i < 3000; ++i) {
      const bool good = stream.step(x.data(), y.data()) == LSTMFAST_OK &&
                        stream.process(kSteps, x.data(), y.data()) == LSTMFAST_OK &&
                        stream.get_state(1, state.data()) == LSTMFAST_OK &&
                        stream.reset(0) == LSTMFAST_OK &&
                        stream.set_state(0, state.data()) == LSTMFAST_OK &&
                        (i % 7 != 0 || stream.reset() == LSTMFAST_OK);
      if (!good) return 1;
    }
    return 0;
  };
  model.predict<float>(2, {kSteps}, {x.data()}, {y.data()});  // which does both
  const long allocations = test::allocations, locks = test::locks;
  CHECK(allocations > 0);
  CHECK(locks > 0);
  const int worked = work();
  CHECK(test::allocations == allocations);
  CHECK(test::locks == locks);
  CHECK(worked == 0);
  CHECK(test::without_system_calls([] { return ::getppid() > 0 ? 0 : 1; }) != 0);
  const int result = test::without_system_calls(work);
  if (result == test::kNoSeccomp) {
    MESSAGE("system calls are not counted: no seccomp here");
  } else {
    CHECK(result == 0);
  }
}
#endif

#if COUNTS_SYSTEM_WORK
TEST_CASE("the reported memory of a stream is right to a factor of 2") {
  for (const index units : {8, 64, 512}) {
    Map config = in_steps("float32");
    config["layers.0.units"] = units;
    const Model model = loaded(saved<float>(config));
    const Stream warm(model, 2);
    const long before = test::allocated_bytes;
    const Stream stream(model, 2);
    const double ratio =
        static_cast<double>(stream.memory()) / static_cast<double>(test::allocated_bytes - before);
    CAPTURE(units);
    CAPTURE(ratio);
    CHECK(ratio > 0.5);
    CHECK(ratio < 2);
  }
}
#endif

TEST_CASE("threads run streams of their own over one model") {
  const Model model = loaded(float_model());
  const std::vector<float> x = numbers<float>(200 * 3);
  std::vector<float> y[3];
  std::vector<std::thread> threads;
  for (std::vector<float>& each : y) {
    each.resize(200 * 2);
    threads.emplace_back([&] {
      Stream stream(model);
      for (index t = 0; t < 200; ++t) stream.step(x.data() + t * 3, each.data() + t * 2);
    });
  }
  for (std::thread& each : threads) each.join();
  CHECK(y[0] == y[1]);
  CHECK(y[0] == y[2]);
}

// The status of a constructor that throws Error.
template <class Call>
lstmfast_status status_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(std::strlen(error.what()) > 0);
    return error.status();
  }
  return LSTMFAST_OK;
}

TEST_CASE("what is wrong is refused with its reason") {
  CHECK(lstmfast_abi_version() == LSTMFAST_ABI_VERSION);
  CHECK(status_of([] { Model::load("/nowhere/model"); }) == LSTMFAST_SYSTEM_ERROR);
  CHECK(std::string(lstmfast_error_message()).find("[load] /nowhere/model: cannot open") == 0);
  CHECK(status_of([] { Model::load("abc", 3); }) == LSTMFAST_INVALID_FILE);
  CHECK(std::string(lstmfast_error_message()).find("[load] bytes: ") == 0);
  const Map backwards = {{"input_shape", base::Extents{base::kAnyExtent, 3}},
                         {"layers", 1},
                         {"layers.0.kind", "lstm"},
                         {"layers.0.units", 2},
                         {"layers.0.go_backwards", true}};
  const Model whole = loaded(saved<float>(backwards));
  CHECK(status_of([&] { Stream stream(whole); }) == LSTMFAST_CANNOT_STREAM);
  CHECK(std::string(lstmfast_error_message()).find("begins at the last step") != std::string::npos);
  const Model model = loaded(float_model());
  CHECK(status_of([&] { Stream stream(model, 0); }) == LSTMFAST_INVALID_ARGUMENT);
  CHECK(status_of([&] { model.input(1); }) == LSTMFAST_INVALID_ARGUMENT);
  CHECK(status_of([&] { model.predict<float>(1, {kSteps}, {}, {}); }) == LSTMFAST_INVALID_ARGUMENT);
  Stream stream(model);
  double x[3] = {}, y[2] = {};
  CHECK(stream.step(x, y) == LSTMFAST_INVALID_ARGUMENT);
  CHECK(std::string(lstmfast_error_message()).find("ends in _f32") != std::string::npos);
  CHECK(stream.reset(1) == LSTMFAST_INVALID_ARGUMENT);
  CHECK(lstmfast_set_num_threads(0) == LSTMFAST_INVALID_ARGUMENT);
}

TEST_CASE("null pointers are errors") {
  lstmfast_model* made = nullptr;
  lstmfast_stream* stream = nullptr;
  lstmfast_port port;
  float y[2];
  constexpr lstmfast_status kBad = LSTMFAST_INVALID_ARGUMENT;
  const std::string& bytes = float_model();
  CHECK(lstmfast_model_load(nullptr, &made) == kBad);
  CHECK(lstmfast_model_load("x", nullptr) == kBad);
  CHECK(lstmfast_model_load_bytes(nullptr, 8, &made) == kBad);
  CHECK(lstmfast_model_load_bytes(bytes.data(), bytes.size(), nullptr) == kBad);
  CHECK(lstmfast_model_input(nullptr, 0, &port) == kBad);
  CHECK(lstmfast_model_output(nullptr, nullptr, 0, &port) == kBad);
  CHECK(lstmfast_model_predict_f32(nullptr, 1, nullptr, nullptr, nullptr) == kBad);
  CHECK(lstmfast_model_inputs(nullptr) == 0);
  CHECK(lstmfast_model_memory(nullptr) == 0);
  CHECK(lstmfast_model_dtype(nullptr) == LSTMFAST_FLOAT32);
  CHECK(lstmfast_stream_new(nullptr, 1, &stream) == kBad);
  CHECK(lstmfast_stream_copy(nullptr, &stream) == kBad);
  CHECK(lstmfast_stream_step_f32(nullptr, y, y) == kBad);
  CHECK(lstmfast_stream_process_all_f64(nullptr, 1, nullptr, nullptr) == kBad);
  CHECK(lstmfast_stream_reset(nullptr) == kBad);
  CHECK(lstmfast_stream_get_state_f32(nullptr, 0, y) == kBad);
  CHECK(lstmfast_stream_rows(nullptr) == 0);
  CHECK(lstmfast_stream_input(nullptr, 0, &port) == kBad);
  lstmfast_model_free(nullptr);
  lstmfast_stream_free(nullptr);

  REQUIRE(lstmfast_model_load_bytes(bytes.data(), bytes.size(), &made) == LSTMFAST_OK);
  const void* const nothing[1] = {nullptr};
  CHECK(lstmfast_model_predict_f32(made, 1, nullptr, nothing, nullptr) == kBad);
  CHECK(lstmfast_model_input(made, 0, nullptr) == kBad);
  CHECK(lstmfast_stream_new(made, 1, nullptr) == kBad);
  REQUIRE(lstmfast_stream_new(made, 1, &stream) == LSTMFAST_OK);
  CHECK(lstmfast_stream_step_f32(stream, nullptr, y) == kBad);
  CHECK(lstmfast_stream_step_f32(stream, y, nullptr) == kBad);
  CHECK(lstmfast_stream_process_all_f32(stream, 1, nothing, nullptr) == kBad);
  CHECK(lstmfast_stream_set_state_f32(stream, 0, nullptr) == kBad);
  CHECK(lstmfast_stream_set_state_f32(stream, -1, y) == kBad);
  lstmfast_model_free(made);
  lstmfast_stream_free(stream);
}

TEST_CASE("damaged bytes are an error: every length, every byte") {
  std::string bytes = float_model();
  lstmfast_model* made = nullptr;
  for (std::size_t size = 0; size < bytes.size(); size += size < 64 ? 1 : 13) {
    CHECK(lstmfast_model_load_bytes(bytes.data(), size, &made) == LSTMFAST_INVALID_FILE);
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
    CHECK(lstmfast_model_load_bytes(bytes.data(), bytes.size(), &made) == LSTMFAST_INVALID_FILE);
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
  }
  CHECK(made == nullptr);
}

}  // namespace
}  // namespace lstmfast
