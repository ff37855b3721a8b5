// Files of compressed weights, damaged: each is refused, or the layer answers.
#include <fstream>

#include "danlu/base/temporary_directory.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/learn/nn/compact_weight.h"
#include "danlu/learn/nn/layers.h"
#include "danlu/learn/train/checkpoint.h"
#include "tests/fuzz/fuzz.h"

namespace {

// Without the checksum, which would refuse everything.
std::string file(const std::string& header, const std::string& data) {
  std::string length;
  for (size_t i = 0; i < 8; ++i) length += static_cast<char>(header.size() >> 8 * i & 0xff);
  return length + header + data;
}

std::string floats(std::initializer_list<float> values) {
  std::string bytes;
  for (const float value : values) bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace danlu;
  const TemporaryDirectory directory;
  const fs::path path = directory / "model.safetensors";
  const std::vector<std::string> samples = {
      file(R"({"bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"input_range":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},)"
           R"("weight_scale":{"dtype":"F32","shape":[2],"data_offsets":[16,24]},"weight_int8":{"dtype":"U8","shape":[2,3],"data_offsets":[24,30]}})",
           floats({0, 1, -1, 2, 0.5f, 0.25f}) + "\x80\x81\x01\xff\x80\x7f"),
      file(R"({"bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"weight_values":{"dtype":"F32","shape":[3],"data_offsets":[8,20]},)"
           R"("weight_mask":{"dtype":"U8","shape":[2,1],"data_offsets":[20,22]}})",
           floats({0, 1, 1, 2, 3}) + "\x05\x02"),
  };
  return test::fuzz(argc, argv, samples, [&](const std::string& input) {
    std::ofstream(path, std::ios::binary) << input;
    const NoGrad no_grad;
    nn::Linear layer(3, 2);
    const formats::SafetensorsFile weights(path);
    nn::bytes_when_dense(weights);
    nn::take_compact_weights(layer, weights, path.string());
    train::load_checkpoint(path, layer);
    layer(Tensor::full({2, 3}, 1.0f));
  });
}
