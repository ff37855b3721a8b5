// Images that a table names, and what its other columns say of each: classes, numbers, labels, several of them.
#include "danlu/app/recipe/labelled_table.h"
#include "danlu/base/base64.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/image/decode.h"
#include "danlu/data/image/folder.h"
#include "danlu/data/image/preprocess.h"
#include "danlu/data/image/report.h"
#include "danlu/data/table/preprocessor.h"
#include "danlu/data/table/saved_state.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.data";

class ImageTable : public LabelledTable {
 public:
  explicit ImageTable(const DataSection& options) : LabelledTable(options) {
    if (options.image.on_bad_file == "skip") {
      throw ConfigError(kWhere, "data.image.on_bad_file: got skip; expected error: the rows of a table have named their images; leave bad ones out of it");
    }
    const int64_t column = table_.column_index(options.image.column);
    std::vector<std::string> names;
    for (const int64_t row : data::all_rows(table_)) {
      const data::Cell cell = table_.cell(row, column);
      if (data::is_missing(cell)) throw DataError(kWhere, fmt::format("{}: is missing; expected the file of an image", table_.place(row, column)));
      names.emplace_back(cell);
    }
    images_ = data::read_image_files(fs::path(options.source).parent_path(), names, options.image);
    hashes_ = data::hash_images(images_);
  }

  infer::InputKind kind() const override { return infer::InputKind::image; }
  std::span<const Hash128> hashes() const override { return hashes_; }
  // Of the images and of all that is said of them.
  Hash128 content_hash() const override {
    std::string text = LabelledTable::content_hash().hex();
    for (const int64_t row : data::all_rows(table_)) text += table_.row_hash(row).hex();
    return hash_text(text);
  }

  QualityReport report(const data::Split& split) const override {
    const data::ImageReport report = data::image_report(images_, hashes_, split);
    return {report.to_json(), report.text(), report.leaks.empty()};
  }

  FittedData fit(std::span<const int64_t> training) const override {
    const auto preprocess = data::ImagePreprocess::fit(images_.pixels, training);
    const data::TargetEncoder target = data::fit_target(table_, training, schema_, options_.table);
    FittedData fitted;
    fitted.task = target.task();
    fitted.class_names = names_of(target.class_names());
    fitted.heads = heads_of(target);
    fitted.input_shape = Shape{preprocess.height(), preprocess.width(), preprocess.channels()};
    fitted.preprocess = preprocess.to_json();
    fitted.preprocess["target"] = target.to_json();
    fitted.reasons = fmt::format("images \"{}\": normalised by mean {:.4f} and standard deviation {:.4f} of the training split\n", options_.image.column,
                                 fmt::join(preprocess.mean(), ", "), fmt::join(preprocess.std(), ", "));
    fitted.training_samples.assign(training.begin(), training.end());
    fitted.dataset = std::make_unique<data::ImageDataset>(images_.pixels, target.labels(table_, data::all_rows(table_)), preprocess, options_.augment);
    return fitted;
  }

  Tensor encode(const infer::Predictor& predictor, std::span<const int64_t> samples) const override {
    std::vector<data::Image> batch;
    for (const int64_t sample : samples) batch.push_back(data::image_of(images_, sample));
    return predictor.encode(batch);
  }

  Json example(const infer::Predictor&, int64_t sample) const override {
    return {{"image", base64_encode(data::encode_png(data::image_of(images_, sample)))}};
  }

 private:
  data::TargetEncoder target_of(const Json& preprocess) const override {
    return data::TargetEncoder::from_json(data::SavedState(preprocess, "preprocess.json").inner("target"));
  }

  data::LabeledImages images_;
  std::vector<Hash128> hashes_;
};

}  // namespace

std::unique_ptr<DataSource> open_image_table(const DataSection& options) { return std::make_unique<ImageTable>(options); }

}  // namespace danlu::app
