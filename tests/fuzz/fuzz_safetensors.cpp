// Files of weights, damaged: each is refused, or all of its tensors can be read.
#include <fstream>

#include "danlu/base/temporary_directory.h"
#include "danlu/formats/safetensors_folder.h"
#include "tests/fuzz/fuzz.h"

namespace {

std::string file(const std::string& header, size_t data_bytes) {
  std::string length;
  for (size_t i = 0; i < 8; ++i) length += static_cast<char>(header.size() >> 8 * i & 0xff);
  return length + header + std::string(data_bytes, '\x3c');
}

std::string written() {
  const danlu::TemporaryDirectory directory;
  danlu::formats::write_safetensors(directory / "a", {{"w", danlu::Tensor::zeros({2, 3})}, {"n", danlu::Tensor::zeros({2}, danlu::Dtype::i64)}});
  return danlu::read_file(directory / "a");
}

}  // namespace

int main(int argc, char** argv) {
  const danlu::TemporaryDirectory directory;
  const std::vector<std::string> samples = {
      written(),
      file(R"({"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]},)"
           R"("b":{"dtype":"F16","shape":[4],"data_offsets":[12,20]},"c":{"dtype":"F64","shape":[],"data_offsets":[20,28]}})", 28),
      file(R"({"x":{"dtype":"I8","shape":[0,7],"data_offsets":[0,0]},"y":{"dtype":"BOOL","shape":[1,1,1,1,1,3],"data_offsets":[0,3]}}   )", 3),
  };
  return danlu::test::fuzz(argc, argv, samples, [&](const std::string& input) {
    std::ofstream(directory / "model.safetensors", std::ios::binary) << input;
    const danlu::formats::SafetensorsFolder folder(directory.path());
    for (const std::string& name : folder.names()) folder.read(name);
  });
}
