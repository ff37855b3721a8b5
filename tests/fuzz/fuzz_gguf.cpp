// GGUF files, damaged: each is refused, or all of its tensors can be read and what it holds is a language model.
#include <fstream>

#include "danlu/base/temporary_directory.h"
#include "danlu/formats/gguf.h"
#include "danlu/infer/gguf_language_model.h"
#include "danlu/infer/gguf_tokenizer.h"
#include "danlu/infer/testing.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace danlu;

const formats::BlockType& type_named(std::string_view name) { return *formats::find_block_type(name); }

// A few tensors of every type that is written, and metadata of every kind.
std::string some_file() {
  const TemporaryDirectory directory;
  const Tensor rows = Tensor::full({2, 32}, 0.5f);
  formats::write_gguf(directory / "x.gguf",
                      {{"a", uint8_t{1}}, {"b", true}, {"c", "text"}, {"d", 1.5f}, {"e", formats::GgufArray(std::vector<std::string>{"x", "yy"})}, {"f", formats::GgufArray(std::vector<uint16_t>{1, 2})}},
                      {{"w", rows, &type_named("F32")}, {"h", rows, &type_named("F16")}, {"q", rows, &type_named("Q8_0")}, {"r", rows, &type_named("Q4_0")}});
  return read_file(directory / "x.gguf");
}

// A whole language model, small.
std::string some_model(const std::string& family) {
  const TemporaryDirectory directory;
  const auto model = infer::random_language_model({.family = family, .layers = 1, .heads = 2, .width = 4, .hidden = 4, .context = 4});
  data::TokenizerModel tokenizer = infer::byte_tokenizer();
  tokenizer.pre_tokenizer = {{.pattern = data::split_pattern("gpt2")}};
  model->tokenizer = data::Tokenizer(tokenizer);
  infer::write_gguf_language_model(directory / "x.gguf", *model, type_named("F16"));
  return read_file(directory / "x.gguf");
}

}  // namespace

int main(int argc, char** argv) {
  const TemporaryDirectory directory;
  const fs::path path = directory / "x.gguf";
  return test::fuzz(argc, argv, {some_file(), some_model("gpt2"), some_model("llama"), some_model("qwen3")}, [&](const std::string& input) {
    std::ofstream(path, std::ios::binary) << input;
    const formats::GgufFile file(path);
    for (const std::string& name : file.names()) {
      std::vector<float> values(static_cast<size_t>(file.shape(name).numel()));
      file.read(name, values);
    }
    if (file.texts("tokenizer.ggml.tokens") == nullptr) return;
    try {
      infer::read_gguf_tokenizer(file).tokenizer.encode("The furnace 12");
    } catch (const Error&) {
    }
    infer::read_gguf_language_model(path);
  });
}
