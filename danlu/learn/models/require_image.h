// What every model for images asks of its input.
#pragma once

#include <cstdint>
#include <vector>

#include "danlu/engine/tensor/shape.h"

namespace danlu::models {

// Throws ConfigError naming the model unless `input` is an image (H, W, C) and there are stages.
void require_image(const char* model, const Shape& input, const std::vector<int64_t>& stages = {1});

}  // namespace danlu::models
