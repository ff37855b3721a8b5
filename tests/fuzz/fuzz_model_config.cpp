// Configurations of language models, damaged: each is refused, or describes a network that the weights beside it then have to fit.
#include "danlu/base/temporary_directory.h"
#include "danlu/learn/models/gpt_huggingface.h"
#include "tests/fuzz/fuzz.h"

int main(int argc, char** argv) {
  using namespace danlu;
  std::vector<std::string> samples;
  std::vector<TemporaryDirectory> directories(2);
  std::vector<formats::SafetensorsFolder> folders;
  for (const char* family : {"gpt2", "llama", "qwen3"}) {
    models::GptOptions options;
    options.family = family;
    options.layers = 1;
    options.width = 16;
    options.vocab_size = 20;
    const models::Gpt network(options);
    Json config = models::gpt_to_huggingface(network.options());
    samples.push_back(to_line(config));
    config["rope_parameters"] = {{"rope_type", "llama3"}, {"rope_theta", 5e5}, {"factor", 8.0}, {"low_freq_factor", 1.0},
                                 {"high_freq_factor", 4.0}, {"original_max_position_embeddings", 64}};
    samples.push_back(to_line(config));
    if (folders.size() == directories.size()) continue;
    const fs::path directory = directories[folders.size()].path();
    formats::write_safetensors(directory / "model.safetensors", models::huggingface_weights(network));
    folders.emplace_back(directory);
  }
  return test::fuzz(argc, argv, samples, [&](const std::string& input) {
    const models::GptOptions options = models::gpt_from_huggingface(parse_json(input, "config.json"), "config.json");
    models::read_huggingface_weights(folders[options.family == "gpt2" ? 0 : 1], options);
  });
}
