// Models in files: what comes back, and what a file may not do.
#include <doctest/doctest.h>

#include "model/model_file.h"
#include "model_problem.h"
#include "temp_dir.h"

namespace lstmfast::model {
namespace {

using test::compile_config;
using test::fit;
using test::make_model;
using test::message_of;
using test::model_config;
using test::Problem;
using test::TempDir;
using test::weights;

FitOptions epochs(index n) {
  FitOptions out;
  out.batch_size = 3;
  out.epochs = n;
  return out;
}

TEST_CASE_TEMPLATE("training continues bit for bit from a file", T, float, double) {
  const std::string dtype = sizeof(T) == 4 ? "float32" : "float64";
  const Problem<T> problem(10, 5, 3);
  const TempDir dir;
  const auto fresh = [&] {
    auto model = make_model<T>(model_config(dtype, "softmax", 3));
    model->compile(compile_config("categorical_crossentropy"));
    return model;
  };
  auto whole = fresh();
  fit(*whole, problem.examples, epochs(2));
  whole->training("test")->optimizer->set_learning_rate(0.1 / 3);
  fit(*whole, problem.examples, epochs(3));

  auto first = fresh();
  fit(*first, problem.examples, epochs(2));
  first->training("test")->optimizer->set_learning_rate(0.1 / 3);
  save_model(*first, dir.file("model"), {{"name", "a b"}}, true);
  const ModelFile file(dir.file("model"));
  CHECK(file.dtype() == dtype);
  CHECK(file.extra() == base::Texts{{"name", "a b"}});
  auto second = file.load<T>();
  CHECK(second->definition().config() == first->definition().config());
  CHECK(weights(*second) == weights(*first));
  fit(*second, problem.examples, epochs(3));
  CHECK(weights(*second) == weights(*whole));
  CHECK(second->training("test")->optimizer->iterations() == 5 * 4);
}

TEST_CASE("a file without the optimizer has weights and the way they were trained") {
  const TempDir dir;
  auto model = make_model<float>(model_config("float32", "linear", 3));
  save_model(*model, dir.file("plain"), {}, true);
  CHECK(ModelFile(dir.file("plain")).load<float>()->training() == nullptr);
  model->compile(compile_config("mse"));
  const Problem<float> problem(6, 5, 3);
  fit(*model, problem.examples, epochs(1));
  save_model(*model, dir.file("weights"), {}, false);
  auto again = ModelFile(dir.file("weights")).load<float>();
  CHECK(weights(*again) == weights(*model));
  CHECK(again->training("test")->config == model->training("test")->config);
  CHECK(again->training("test")->optimizer->iterations() == 0);
}

TEST_CASE("a caller's own texts and tensors come back") {
  const TempDir dir;
  auto model = make_model<float>(model_config("float32", "linear", 3));
  model->compile(compile_config("mse"));
  const std::vector<double> numbers = {1, 2, 3, 4, 5, 6};
  const std::vector<std::int64_t> counts = {7};
  save_model(*model, dir.file("model"), {{"key", "text"}}, true,
             {files::tensor_data<double>("a", {2, 3}, numbers.data()),
              files::tensor_data<std::int64_t>("optimizer.b", {}, counts.data())});
  const ModelFile file(dir.file("model"));
  const std::vector<files::TensorInfo> extra = file.extra_tensors();
  REQUIRE(extra.size() == 2);
  CHECK(extra[0].name == "a");
  CHECK(extra[0].shape == std::vector<index>{2, 3});
  CHECK(extra[1].name == "optimizer.b");
  std::vector<double> again(6);
  file.copy(extra[0], again.data());
  CHECK(again == numbers);
  std::int64_t count = 0;
  file.copy(extra[1], &count);
  CHECK(count == 7);
  CHECK(weights(*file.load<float>()) == weights(*model));
  CHECK(weights(*file.load<float>(false)) == weights(*model));
}

// The file of a model with its metadata changed.
void change(const std::string& path, const std::string& key, const std::string& value) {
  const files::TensorFile file(path);
  files::Metadata metadata = file.metadata();
  metadata[key] = value;
  std::vector<std::vector<float>> data;
  std::vector<files::TensorData> tensors;
  for (const files::TensorInfo& info : file.tensors()) {
    data.emplace_back(static_cast<std::size_t>(info.count()));
    file.copy(info.name, info.shape, data.back().data());
    tensors.push_back(files::tensor_data<float>(info.name, info.shape, data.back().data()));
  }
  files::write_tensor_file(path, tensors, metadata);
}

TEST_CASE("a file that contradicts itself is refused before memory is taken") {
  const TempDir dir;
  const std::string path = dir.file("model");
  const auto message = [&](const std::string& key, const std::string& value) {
    auto model = make_model<float>(model_config("float32", "linear", 3));
    model->compile(compile_config("mse"));
    save_model(*model, path, {}, true);
    change(path, key, value);
    const std::uint64_t before = base::allocation_count();
    std::string out = message_of([&] { ModelFile(path).load<float>(); });
    CHECK(base::allocation_count() == before);
    return out;
  };
  const std::string where = "[load] " + path + ": ";
  CHECK(message("model.layers.2.units", "16777216") ==
        where + "tensor \"layers.2.kernel\" is F32 (5, 24); expected F32 (5, 67108864)");
  CHECK(message("model.layers.2.units", "1e9").find(where + "[model.config] layers.2.units") == 0);
  CHECK(message("model.layers", "999999999").find("layers is \"999999999\"") != std::string::npos);
  CHECK(message("model.dtype", "float64").find("dtype") != std::string::npos);
  CHECK(message("format", "pt").find(where + "not a model of lstmfast") == 0);
  CHECK(message("format_version", "3").find("format_version is \"3\"; expected at most \"2\"") !=
        std::string::npos);
}

TEST_CASE("a file with wrong training state is refused") {
  const TempDir dir;
  const std::string path = dir.file("model");
  auto model = make_model<float>(model_config("float32", "linear", 3));
  model->compile(compile_config("mse"));
  save_model(*model, path, {}, true);
  change(path, "state.iterations", "-1");
  CHECK(message_of([&] { ModelFile(path).load<float>(); }).find("iterations is \"-1\"") !=
        std::string::npos);
  for (const char* counter : {"state.iterations", "state.epochs"}) {
    save_model(*model, path, {}, true);
    change(path, counter, "9007199254740993");
    CHECK(message_of([&] { ModelFile(path).load<float>(); }).find("to 9007199254740992") !=
          std::string::npos);
    change(path, counter, "9007199254740992");  // the bound: counting stops, and saving works
    auto bounded = ModelFile(path).load<float>();
    const Problem<float> problem(6, 5, 3);
    fit(*bounded, problem.examples, epochs(1));
    save_model(*bounded, path, {}, true);
    CHECK(weights(*ModelFile(path).load<float>()) == weights(*bounded));
  }
  save_model(*model, path, {}, true);
  change(path, "compile.optimizer.kind", "sgd");
  CHECK(message_of([&] {
          ModelFile(path).load<float>();
        }).find("belongs to no part of the model") != std::string::npos);
  save_model(*model, path, {}, true);
  change(path, "compile.metrics", [] {
    std::string names;
    for (int i = 0; i < 1001; ++i) names += "mse,";
    return names;
  }());
  CHECK(message_of([&] {
          ModelFile(path).load<float>();
        }).find("expected at most 1000 names, not 1001") != std::string::npos);
  save_model(*model, path, {}, true);
  change(path, "compile.loss", "none");
  CHECK(message_of([&] { ModelFile(path).load<float>(); }).find("none") != std::string::npos);
}

}  // namespace
}  // namespace lstmfast::model
