#include "danlu/learn/models/require_image.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::models {

void require_image(const char* model, const Shape& input, const std::vector<int64_t>& stages) {
  if (input.rank() != 3) {
    throw ConfigError("learn.models", fmt::format("{}: got samples of shape {}; expected images (height, width, channels): take mlp for a table, encoder "
                                                  "or lstm for texts", model, input.str()));
  }
  if (stages.empty()) throw ConfigError("learn.models", fmt::format("model.blocks: got an empty list; expected a number for each stage of {}", model));
}

}  // namespace danlu::models
