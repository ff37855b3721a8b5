// An encoder that was trained to tell hidden tokens, as it lies on disk, for other models to begin with. By itself it answers nothing.
//
// The bundle: model.safetensors, config.json ("format": "danlu-pretrained-encoder"), preprocess.json (data::TextPreprocess without a target).
#pragma once

#include <memory>
#include <string>

#include "danlu/base/files.h"
#include "danlu/base/json.h"
#include "danlu/data/text/text_preprocess.h"
#include "danlu/learn/models/masked_encoder.h"

namespace danlu::infer {

struct PretrainedEncoder {
  std::string name;
  data::TextPreprocess preprocess;
  std::unique_ptr<models::MaskedEncoder> model;  // in evaluation mode
  Json config;
};

// Does the directory, or the bundle/ in it, hold one? Reads config.json alone.
bool is_pretrained_encoder(const fs::path& directory);
// Opens a bundle, or that of a run directory. Throws FileError, or DataError naming the file.
PretrainedEncoder read_pretrained_encoder(const fs::path& directory);
// `model`: ModelConfig::resolved. config.json is written last. Throws FileError if a file cannot be written.
void write_pretrained_encoder(const fs::path& directory, const std::string& name, const nn::Module& weights, const Json& preprocess, const Json& model, const Json& training);

}  // namespace danlu::infer
