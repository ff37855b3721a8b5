// Indexes of shards, damaged: each is refused, or leads to tensors that can be read and to no file outside the directory.
#include <fstream>

#include "danlu/base/temporary_directory.h"
#include "danlu/formats/safetensors_folder.h"
#include "tests/fuzz/fuzz.h"

int main(int argc, char** argv) {
  using namespace danlu;
  const TemporaryDirectory directory;
  formats::write_safetensors(directory / "a.safetensors", {{"x", Tensor::zeros({2})}, {"y", Tensor::zeros({1})}});
  formats::write_safetensors(directory / "b.safetensors", {{"z", Tensor::zeros({1})}});
  const std::vector<std::string> samples = {
      R"({"metadata":{"total_size":16},"weight_map":{"x":"a.safetensors","y":"a.safetensors","z":"b.safetensors"}})",
      R"({"weight_map":{"z":"b.safetensors"}})",
      R"({"weight_map":{"z":"../b.safetensors","y":null}})",
  };
  return test::fuzz(argc, argv, samples, [&](const std::string& input) {
    std::ofstream(directory / "model.safetensors.index.json", std::ios::binary) << input;
    const formats::SafetensorsFolder folder(directory.path());
    for (const std::string& name : folder.names()) folder.read(name);
  });
}
