// The Gpt network in the words of llama.cpp: the sizes among the metadata of a GGUF file, and the names of its tensors.
//
//   family   weights that differ from ours
//   gpt2     none: query, key and value are one tensor
//   llama    query, key and value apart, gate and up apart; the rows of a query or key head in the order of RoPE on neighbours, 0, d/2,
//            1, d/2 + 1, ...; Llama 3's slowing of frequencies as a tensor rope_freqs.weight
//   qwen2    as llama, but the rows in the order that ours are in, and no rope_freqs.weight
//   qwen3    as qwen2
//
// What a file asks for and Gpt does not have is refused by name, never passed over.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "danlu/formats/gguf.h"
#include "danlu/learn/models/gpt.h"

namespace danlu::models {

// Throws DataError naming the file and the key that is absent, out of range or not supported.
GptOptions gpt_from_gguf(const formats::GgufFile& file);

// Every name and shape is compared before a weight is read or memory is taken. Weights of Q8_0 and Q4_0 stay as they are, in 8 and 4 bits; those
// of other types become f32. Throws DataError naming the tensors that are missing, not expected or of another shape.
std::unique_ptr<Gpt> read_gguf_weights(const formats::GgufFile& file, const GptOptions& options);

// general.architecture and the sizes. `options` are those of a network: no size is 0. Throws ConfigError for what llama.cpp has no
// place for.
formats::GgufMetadata gpt_to_gguf(const GptOptions& options);

// The tensors with their names and types; most share memory with the network. Matrices are of `type`, but
//   F32   vectors, norms and positions, as llama.cpp has them
//   F16   rows that are no whole number of its blocks
//   Q8_0  with Q4_0, the output head, or the embedding that serves as one, and what the network has in 8 bits
// What the network has in as many bits has the same codes and scales in the file.
std::vector<formats::GgufTensor> gguf_weights(const Gpt& network, const formats::BlockType& type);

// The largest difference between a weight of the network and what is read for it from the file that gguf_weights were written to.
// Throws DataError if a tensor's bytes are not those of gguf_weights.
double check_gguf_weights(const formats::GgufFile& file, const Gpt& network, const formats::BlockType& type);

}  // namespace danlu::models
