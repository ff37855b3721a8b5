// A language model as one GGUF file, for llama.cpp and what is built on it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "danlu/base/files.h"
#include "danlu/formats/gguf_blocks.h"
#include "danlu/infer/language_model.h"

namespace danlu::infer {

// A regular file whose name ends in .gguf.
bool is_gguf(const fs::path& path);

// Network, tokeniser and chat template of the file, its name without the extension; weights of Q8_0 and Q4_0 stay in 8 and 4 bits, those of other types become f32. Throws FileError;
// DataError naming the file and what in it is wrong or not supported.
std::shared_ptr<LanguageModel> read_gguf_language_model(const fs::path& path);

struct GgufExport {
  int64_t bytes = 0;
  double largest_error = 0;        // of a weight as it is read again
  std::vector<std::string> notes;  // what is otherwise in the file or will be in llama.cpp, a sentence each
};

// Writes the file whole or not at all. It is read again before it gets its name: every tensor must have the bytes of the weights, and
// metadata and token ids must be the same. Throws ConfigError for a model that the format cannot say, naming why; DataError for weights
// that the type cannot hold, and if what is read is not what was written.
GgufExport write_gguf_language_model(const fs::path& path, const LanguageModel& model, const formats::BlockType& type);

}  // namespace danlu::infer
