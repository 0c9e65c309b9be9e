// Whole model files, from memory: what is loaded also streams, or says why not.
// Input: the bytes of a file.
#include "api/any_stream.h"
#include "model/file_facts.h"
#include "target.h"

using namespace lstmfast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::accepts([&] {
    const model::ModelFile file(files::Source(data, size));
    api::with_dtype("fuzz", file.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const model::FileFacts facts = model::facts_of(file.definition<T>());
      const std::shared_ptr<const model::Model<T>> model = file.load<T>(false);
      fuzz::require(facts.weight_bytes == model->definition().bytes(), "the memory is as told");
      if (facts.stream_bytes > (1 << 26)) return;
      const bool streams = fuzz::accepts([&] { model::Stream<T>(model, 1); });
      fuzz::require(streams == facts.cannot_stream.empty(), "the file tells whether it streams");
    });
  });
  return 0;
}
