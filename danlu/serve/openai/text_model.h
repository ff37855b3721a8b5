// A language model as the server holds it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "danlu/infer/chat_template.h"
#include "danlu/infer/generator.h"

namespace danlu::serve {

class TextModel {
 public:
  TextModel(std::string name, std::shared_ptr<infer::LanguageModel> model, const infer::GeneratorOptions& options);

  const std::string& name() const { return name_; }
  const data::Tokenizer& tokenizer() const { return model_->tokenizer; }
  infer::Generator& generator() { return generator_; }
  const infer::Generator& generator() const { return generator_; }
  int64_t context() const { return model_->network->options().context; }
  int64_t vocab_size() const { return model_->network->options().vocab_size; }
  int64_t num_parameters() const { return model_->network->num_parameters(); }
  int64_t created() const { return created_; }

  // Throws RequestError if the model's template is not understood: no other is taken in its place.
  const infer::ChatTemplate& chat_template() const;

  // The ids of a text, after the token that begins texts where the tokeniser wants one and `add_special` is set.
  // `parse_special`: special tokens that the text spells are taken as such.
  std::vector<data::TokenId> encode(const std::string& text, bool add_special, bool parse_special) const;

  // Hears the seconds from a request's arrival to its first token, on any thread.
  std::function<void(double seconds)> on_first_token = [](double) {};

 private:
  const std::string name_;
  const std::shared_ptr<infer::LanguageModel> model_;
  const int64_t created_;
  std::optional<infer::ChatTemplate> chat_template_;
  std::string chat_template_error_;
  infer::Generator generator_;
};

}  // namespace danlu::serve
