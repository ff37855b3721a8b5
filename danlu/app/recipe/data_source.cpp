#include "danlu/app/recipe/data_source.h"

#include <algorithm>
#include <map>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/image/preprocess.h"
#include "danlu/data/image/report.h"
#include "danlu/data/image/source.h"
#include "danlu/data/table/preprocessor.h"
#include "danlu/data/table/read_table.h"
#include "danlu/data/table/report.h"
#include "danlu/data/table/schema.h"
#include "danlu/data/table/values.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.data";
constexpr int64_t kPredictBatch = 256;

// Runs a predictor over encoded pieces of the samples and joins the outputs.
template <class Encode>
Tensor predict_in_batches(infer::Predictor& predictor, std::span<const int64_t> samples, const Encode& encode) {
  Tensor all;
  for (size_t begin = 0; begin < samples.size(); begin += kPredictBatch) {
    const auto piece = samples.subspan(begin, std::min<size_t>(kPredictBatch, samples.size() - begin));
    const Tensor outputs = predictor.run(encode(piece));
    if (!all.defined()) all = Tensor::empty(outputs.shape().with(0, static_cast<int64_t>(samples.size())));
    const auto row = static_cast<int64_t>(begin);
    all.rows(row, row + outputs.size(0)).copy_from(outputs);
  }
  return all.defined() ? all : Tensor::empty({0, 1});
}

class TableSource : public DataSource {
 public:
  explicit TableSource(const DataSection& options) : options_(options) {
    if (options_.table.target.empty()) {
      throw ConfigError(kWhere, fmt::format("data.target is missing; expected the column of {} to predict", options_.source));
    }
    if (options_.augment.enabled()) throw ConfigError(kWhere, "data.augment is for images; the source is a table");
    const data::Table all = data::read_table(options_.source, options_.csv);
    all.column_index(options_.table.target);  // names the nearest column if it is not there
    table_ = all.select(data::labelled_rows(all, options_.table.target, data::all_rows(all)));
    if (table_.num_rows() == 0) {
      throw DataError(kWhere, fmt::format("{}: got no row with a value of \"{}\"; expected some to learn from", options_.source, options_.table.target));
    }
    schema_ = data::infer_schema(table_, data::type_overrides(options_.table));
    // The classes for stratification, in order of appearance. What they are called in the model is the preprocessor's matter.
    const int64_t target = table_.column_index(options_.table.target);
    std::map<std::string_view, int64_t> classes;
    for (int64_t i = 0; i < table_.num_rows(); ++i) {
      hashes_.push_back(table_.row_hash(i));
      strata_.push_back(classes.emplace(table_.cell(i, target), static_cast<int64_t>(classes.size())).first->second);
    }
    if (data::TablePreprocessor::fit(table_, data::all_rows(table_), schema_, options_.table).task() == data::TaskKind::regression) strata_.clear();
  }

  infer::InputKind kind() const override { return infer::InputKind::table; }
  int64_t size() const override { return table_.num_rows(); }
  std::span<const int64_t> strata() const override { return strata_; }
  std::span<const Hash128> hashes() const override { return hashes_; }

  QualityReport report(const data::Split&) const override {
    const data::TableReport r = data::report_table(table_, schema_, options_.table.target, options_.report);
    return {data::to_json(r), data::to_text(r), r.passed()};
  }

  FittedData fit(std::span<const int64_t> training) const override {
    const auto preprocessor = data::TablePreprocessor::fit(table_, training, schema_, options_.table);
    const std::vector<int64_t> all = data::all_rows(table_);
    FittedData fitted;
    fitted.task = preprocessor.task();
    fitted.class_names = preprocessor.class_names();
    fitted.input_shape = Shape{preprocessor.num_features()};
    fitted.preprocess = preprocessor.to_json();
    fitted.reasons = preprocessor.reasons();
    fitted.training_samples = preprocessor.training_rows();
    fitted.dataset = std::make_unique<data::TensorDataset>(preprocessor.apply(table_, all), preprocessor.labels(table_, all));
    return fitted;
  }

  Tensor predict(infer::Predictor& predictor, std::span<const int64_t> samples) const override {
    return predict_in_batches(predictor, samples, [&](std::span<const int64_t> piece) { return predictor.encode(table_.select(piece)); });
  }

  std::vector<int64_t> labels(std::span<const int64_t> samples, const std::vector<std::string>& class_names) const override {
    const int64_t target = table_.column_index(options_.table.target);
    std::vector<int64_t> result;
    for (const int64_t i : samples) {
      const auto found = std::find(class_names.begin(), class_names.end(), table_.cell(i, target));
      if (found == class_names.end()) {
        throw DataError(kWhere, fmt::format("{}: got class \"{}\"; the model knows {}", table_.place(i, target), table_.cell(i, target), fmt::join(class_names, ", ")));
      }
      result.push_back(found - class_names.begin());
    }
    return result;
  }

  std::vector<double> targets(std::span<const int64_t> samples) const override {
    const int64_t target = table_.column_index(options_.table.target);
    return data::column_numbers(table_, target, samples, data::ColumnType::number, data::BadCell::error);
  }

 private:
  DataSection options_;
  data::Table table_;
  data::Schema schema_;
  std::vector<int64_t> strata_;
  std::vector<Hash128> hashes_;
};

class ImageSource : public DataSource {
 public:
  explicit ImageSource(const DataSection& options) : options_(options) {
    if (!options_.table.target.empty() || !options_.table.columns.empty()) {
      throw ConfigError(kWhere, fmt::format("data.target and data.columns are for tables; {} is a directory of images, whose classes are its directories or label files", options_.source));
    }
    images_ = data::read_images(options_.source, options_.image, options_.table.classes);
    if (images_.class_names.size() < 2) {
      throw DataError(kWhere, fmt::format("{}: got {} class; expected at least two", options_.source, images_.class_names.size()));
    }
    hashes_ = data::hash_images(images_);
  }

  infer::InputKind kind() const override { return infer::InputKind::image; }
  int64_t size() const override { return images_.size(); }
  std::span<const int64_t> strata() const override { return images_.labels; }
  std::span<const Hash128> hashes() const override { return hashes_; }
  std::span<const data::Part> given() const override { return images_.given; }

  QualityReport report(const data::Split& split) const override {
    const data::ImageReport r = data::image_report(images_, hashes_, split);
    return {r.to_json(), r.text(), r.leaks.empty()};
  }

  FittedData fit(std::span<const int64_t> training) const override {
    const auto preprocess = data::ImagePreprocess::fit(images_.pixels, training);
    FittedData fitted;
    fitted.task = images_.class_names.size() == 2 ? data::TaskKind::binary : data::TaskKind::multiclass;
    fitted.class_names = images_.class_names;
    fitted.input_shape = Shape{preprocess.height(), preprocess.width(), preprocess.channels()};
    fitted.preprocess = preprocess.to_json();
    fitted.reasons = fmt::format("images: {} x {} x {}, normalised by mean {:.4f} and standard deviation {:.4f} of the training split\n",
                                 preprocess.height(), preprocess.width(), preprocess.channels(), fmt::join(preprocess.mean(), ", "), fmt::join(preprocess.std(), ", "));
    fitted.training_samples.assign(training.begin(), training.end());
    fitted.dataset = std::make_unique<data::ImageDataset>(images_, preprocess, options_.augment);
    return fitted;
  }

  Tensor predict(infer::Predictor& predictor, std::span<const int64_t> samples) const override {
    const Shape& shape = images_.pixels.shape();
    const int64_t bytes = shape.inner(0);
    return predict_in_batches(predictor, samples, [&](std::span<const int64_t> piece) {
      std::vector<data::Image> batch;
      for (const int64_t i : piece) {
        const uint8_t* pixels = images_.pixels.data<uint8_t>() + i * bytes;
        batch.push_back({shape[1], shape[2], shape[3], {pixels, pixels + bytes}});
      }
      return predictor.encode(batch);
    });
  }

  std::vector<int64_t> labels(std::span<const int64_t> samples, const std::vector<std::string>& class_names) const override {
    if (class_names != images_.class_names) {
      throw DataError(kWhere, fmt::format("{}: the classes are {}; the model knows {}", options_.source, fmt::join(images_.class_names, ", "), fmt::join(class_names, ", ")));
    }
    std::vector<int64_t> result;
    for (const int64_t i : samples) result.push_back(images_.labels[static_cast<size_t>(i)]);
    return result;
  }

  std::vector<double> targets(std::span<const int64_t>) const override {
    throw ConfigError(kWhere, "images have classes, not numbers, to predict");
  }

 private:
  DataSection options_;
  data::LabeledImages images_;
  std::vector<Hash128> hashes_;
};

}  // namespace

Hash128 DataSource::content_hash() const { return hash_bytes(hashes().data(), hashes().size_bytes()); }

std::unique_ptr<DataSource> open_source(const DataSection& options) {
  if (!fs::exists(options.source)) {
    throw FileError(kWhere, fmt::format("cannot open {}: there is no such file or directory; public data sets are brought by tools/fetch", options.source));
  }
  if (fs::is_directory(options.source)) return std::make_unique<ImageSource>(options);
  return std::make_unique<TableSource>(options);
}

}  // namespace danlu::app
