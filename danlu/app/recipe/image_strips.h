// What TensorBoard's page of images shows of a run: images beside each other, a strip for each label. The label is the name of the strip, so
// that it can be in any script.
//
//   training/sneaker         the first of each class that the training sees, varied as it sees them
//   wrong/coat, not shirt    of the test split, at evaluation: called coat, surest of it, and shirts in truth
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "danlu/app/recipe/data_source.h"
#include "danlu/data/image/image.h"
#include "danlu/formats/tensorboard_events.h"

namespace danlu::app {

struct ImageStrip {
  std::string label;
  std::vector<data::Image> images;  // of one size
};

// In the order of the classes; of many, the first. `data` is fitted to images; `seed` is that of the training's loader.
std::vector<ImageStrip> training_strips(const FittedData& data, uint64_t seed);

// `wrong` is that of telling_examples.
std::vector<ImageStrip> wrong_strips(const Json& wrong);

// As GROUP/LABEL, at a step.
void write_strips(formats::EventWriter& events, const std::string& group, int64_t step, const std::vector<ImageStrip>& strips);

}  // namespace danlu::app
