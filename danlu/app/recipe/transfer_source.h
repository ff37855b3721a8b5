// What a recipe's section `transfer` names: another model, on disk.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "danlu/app/recipe/recipe.h"
#include "danlu/data/text/tokenizer.h"
#include "danlu/learn/nn/module.h"

namespace danlu::app {

struct TransferSource {
  std::string name;                          // for messages
  std::vector<nn::NamedTensor> weights;
  std::optional<data::Tokenizer> tokenizer;  // of a model that reads text
};

// A run (by its name in `runs`, or a path), a bundle, a Hugging Face folder of a language model, or a .safetensors file. Throws FileError
// or DataError as their readers do.
TransferSource read_transfer_source(const std::string& from, const fs::path& runs);

// The bundle of a run, by its name in `runs` or its path; or the directory itself, if it is one. Throws FileError naming the runs that there are.
fs::path bundle_of(const std::string& from, const fs::path& runs);

// A tokeniser on disk: tokenizer.json, a folder that has one, or the run or bundle of any model that reads text.
data::Tokenizer load_tokenizer(const fs::path& path);

// A model that goes on from one that reads text has its tokeniser and, if it is an encoder, which learns places, reads as much of a text: sets
// tokenizer.file and data.text.length, unless the recipe does.
void derive_from_transfer(Recipe& recipe, const fs::path& runs);

}  // namespace danlu::app
