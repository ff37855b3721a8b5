// What a language model makes of a text, window by window.
#pragma once

#include <vector>

#include "danlu/data/dataset/token_dataset.h"
#include "danlu/eval/language.h"
#include "danlu/infer/language_model.h"

namespace danlu::app {

struct LanguageQuality {
  std::vector<eval::LanguageScore> windows;
  int64_t bytes = 0;  // that the targets stand for
};

LanguageQuality score_text(infer::LanguageModel& model, const data::TokenDataset& text);

}  // namespace danlu::app
