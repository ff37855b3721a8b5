// An image with what each part of it says: green for the answer, red against it, as strong as it counts.
#pragma once

#include "danlu/data/image/image.h"
#include "danlu/infer/explanation.h"

namespace danlu::app {

// In colour, and large enough to look at. `explanation` is one of an image.
data::Image heat_map(const data::Image& image, const infer::Explanation& explanation);

}  // namespace danlu::app
