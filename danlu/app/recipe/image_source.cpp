#include "danlu/app/recipe/data_source.h"
#include "danlu/base/base64.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/image/decode.h"
#include "danlu/data/image/preprocess.h"
#include "danlu/data/image/report.h"
#include "danlu/data/image/source.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.data";

void check_options(const DataSection& options) {
  if (!options.class_names.empty()) {
    throw ConfigError(kWhere, "data.class_names is for tables; data.classes names the classes of label files");
  }
  if (!options.split.column.empty()) {
    throw ConfigError(kWhere, fmt::format("data.split.column: got {}; expected none: images have no columns", options.split.column));
  }
  if (!options.table.target_columns().empty() || options.table.is_multilabel() || !options.table.columns.empty()) {
    throw ConfigError(kWhere,
                      fmt::format("data.target, data.labels and data.columns are for tables; {} is a directory of images, whose "
                                  "classes are its directories or label files",
                                  options.source));
  }
}

class ImageSource : public DataSource {
 public:
  ImageSource(const DataSection& options, Labels labels)
      : options_(options), labels_(labels),
        images_(data::read_images(options.source, options.image, options.table.classes, labels == Labels::none ? data::Labels::none : data::Labels::directories)) {
    if (labels == Labels::given && images_.class_names.size() < 2) {
      throw DataError(
          kWhere, fmt::format("{}: got {} class; expected at least two", options.source, images_.class_names.size()));
    }
    hashes_ = data::hash_images(images_);
  }

  infer::InputKind kind() const override { return infer::InputKind::image; }
  int64_t size() const override { return images_.size(); }
  std::span<const int64_t> strata() const override { return images_.labels; }
  std::span<const Hash128> hashes() const override { return hashes_; }
  std::span<const data::Part> given() const override { return images_.given; }

  QualityReport report(const data::Split& split) const override {
    const data::ImageReport report = data::image_report(images_, hashes_, split);
    return {report.to_json(), report.text(), report.leaks.empty()};
  }

  FittedData fit(std::span<const int64_t> training) const override {
    const auto preprocess = data::ImagePreprocess::fit(images_.pixels, training);
    FittedData fitted;
    if (labels_ == Labels::none) {
      fitted.task = data::TaskKind::clustering;
    } else {
      fitted.task = images_.class_names.size() == 2 ? data::TaskKind::binary : data::TaskKind::multiclass;
      fitted.class_names = images_.class_names;
    }
    fitted.input_shape = Shape{preprocess.height(), preprocess.width(), preprocess.channels()};
    fitted.preprocess = preprocess.to_json();
    fitted.reasons =
        fmt::format("pixels: normalised by mean {:.4f} and standard deviation {:.4f} of the training split\n",
                    fmt::join(preprocess.mean(), ", "), fmt::join(preprocess.std(), ", "));
    fitted.training_samples.assign(training.begin(), training.end());
    fitted.dataset = std::make_unique<data::ImageDataset>(images_, preprocess, options_.augment);
    return fitted;
  }

  Tensor encode(const infer::Predictor& predictor, std::span<const int64_t> samples) const override {
    std::vector<data::Image> batch;
    for (const int64_t sample : samples) batch.push_back(data::image_of(images_, sample));
    return predictor.encode(batch);
  }

  std::vector<int64_t> labels(std::span<const int64_t> samples, const Json&, const std::string&) const override {
    std::vector<int64_t> result;
    for (const int64_t sample : samples) result.push_back(images_.labels[static_cast<size_t>(sample)]);
    return result;
  }

  std::vector<double> targets(std::span<const int64_t>, const std::string&) const override {
    throw ConfigError(kWhere, "images have classes to predict, not numbers");
  }

  Json example(const infer::Predictor&, int64_t sample) const override {
    return {{"image", base64_encode(data::encode_png(data::image_of(images_, sample)))}};
  }

 private:
  DataSection options_;
  Labels labels_;
  data::LabeledImages images_;
  std::vector<Hash128> hashes_;
};

}  // namespace

std::unique_ptr<DataSource> open_images(const DataSection& options, Labels labels) {
  check_options(options);
  return std::make_unique<ImageSource>(options, labels);
}

}  // namespace danlu::app
