#include "danlu/app/recipe/image_strips.h"

#include <algorithm>

#include "danlu/base/base64.h"
#include "danlu/base/format.h"
#include "danlu/data/dataset/loader.h"
#include "danlu/data/image/decode.h"
#include "danlu/data/image/preprocess.h"

namespace danlu::app {
namespace {

constexpr size_t kStrips = 20, kImages = 8;
constexpr int64_t kGap = 2;             // pixels of white between images
constexpr int64_t kLookedThrough = 512;  // training samples, for some of each class

data::Image beside(const std::vector<data::Image>& images) {
  const data::Image& first = images.front();
  const auto count = static_cast<int64_t>(images.size());
  const int64_t row = first.width * first.channels;
  data::Image strip{first.height, count * first.width + (count - 1) * kGap, first.channels, {}};
  strip.pixels.assign(static_cast<size_t>(strip.height * strip.width * strip.channels), 255);
  for (int64_t k = 0; k < count; ++k) {
    for (int64_t y = 0; y < first.height; ++y) {
      const auto from = images[static_cast<size_t>(k)].pixels.begin() + y * row;
      std::copy(from, from + row, strip.pixels.begin() + (y * strip.width + k * (first.width + kGap)) * first.channels);
    }
  }
  return strip;
}

}  // namespace

std::vector<ImageStrip> training_strips(const FittedData& data, uint64_t seed) {
  std::vector<ImageStrip> strips;
  for (const std::string& name : data.class_names) {
    if (strips.size() < kStrips) strips.push_back({name, {}});
  }
  const auto preprocess = data::ImagePreprocess::from_json(data.preprocess, "preprocess.json");
  data::DataLoader loader(*data.dataset, data.training_samples, {.batch_size = 64, .prefetch = 0}, seed, data::Phase::train);
  int64_t looked = 0;
  for (const data::Batch& batch : loader) {
    for (int64_t i = 0; i < batch.size(); ++i) {
      const auto label = static_cast<size_t>(batch.y.data<int64_t>()[i]);
      if (label < strips.size() && strips[label].images.size() < kImages) {
        strips[label].images.push_back(preprocess.denormalize(batch.x.data() + i * batch.x.shape().inner(0)));
      }
    }
    if ((looked += batch.size()) >= kLookedThrough) break;
  }
  return strips;
}

std::vector<ImageStrip> wrong_strips(const Json& wrong) {
  std::vector<ImageStrip> strips;
  for (const Json& example : wrong) {
    const std::string label = fmt::format("{}, not {}", example.at("predicted").get<std::string>(), example.at("actual").get<std::string>());
    auto strip = std::find_if(strips.begin(), strips.end(), [&](const ImageStrip& s) { return s.label == label; });
    if (strip == strips.end()) strip = strips.insert(strip, {label, {}});
    const std::string bytes = base64_decode(example.at("input").at("image").get<std::string>()).value_or("");
    strip->images.push_back(data::decode_image(bytes, "example"));
  }
  return strips;
}

void write_strips(formats::EventWriter& events, const std::string& group, int64_t step, const std::vector<ImageStrip>& strips) {
  for (const ImageStrip& strip : strips) {
    if (strip.images.empty()) continue;
    const data::Image image = beside(strip.images);
    events.png(group + "/" + strip.label, step, data::encode_png(image), image.height, image.width, static_cast<int>(image.channels));
  }
}

}  // namespace danlu::app
