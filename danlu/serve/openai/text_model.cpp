#include "danlu/serve/openai/text_model.h"

#include <array>
#include <chrono>
#include <utility>

#include "danlu/base/format.h"
#include "danlu/base/log.h"
#include "danlu/data/text/tokenizer_model.h"
#include "danlu/serve/error.h"

namespace danlu::serve {
namespace {

int64_t seconds_since_1970() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

TextModel::TextModel(std::string name, std::shared_ptr<infer::LanguageModel> model,
                     const infer::GeneratorOptions& options)
    : name_(std::move(name)), model_(std::move(model)), created_(seconds_since_1970()), generator_(model_, options) {
  try {
    chat_template_.emplace(model_->tokenizer);
  } catch (const DataError& error) {
    chat_template_error_ = error.message();
    log_warning("serve.openai", fmt::format("{} cannot chat: {}", name_, chat_template_error_));
  }
}

const infer::ChatTemplate& TextModel::chat_template() const {
  if (chat_template_) return *chat_template_;
  throw RequestError(422, "chat_template_unsupported",
                     fmt::format("the model's chat template is not understood: {}", chat_template_error_), "model");
}

std::vector<data::TokenId> TextModel::encode(const std::string& text, bool add_special, bool parse_special) const {
  const std::array segments = {infer::TextSegment{text, !parse_special}};
  std::vector<data::TokenId> ids = infer::encode(tokenizer(), segments);
  if (add_special && tokenizer().model().add_bos && tokenizer().bos()) ids.insert(ids.begin(), *tokenizer().bos());
  return ids;
}

}  // namespace danlu::serve
