#include "danlu/serve/model.h"

#include <utility>

#include "danlu/base/format.h"
#include "danlu/data/image/decode.h"
#include "danlu/data/table/table.h"

namespace danlu::serve {
namespace {

class BundleModel : public Model {
 public:
  explicit BundleModel(infer::Predictor predictor) : predictor_(std::move(predictor)) {}

  infer::InputKind input_kind() const override { return predictor_.input_kind(); }
  const std::vector<std::string>& class_names() const override { return predictor_.class_names(); }
  const std::vector<std::string>& input_columns() const override { return predictor_.input_columns(); }
  int64_t num_parameters() const override { return predictor_.num_parameters(); }

  Tensor encode_rows(const Json& rows) const override {
    return predictor_.encode(data::table_from_rows(rows, "request", predictor_.missing()));
  }

  Tensor encode_images(std::span<const std::string_view> files) const override {
    std::vector<data::Image> images;
    for (const std::string_view file : files) {
      const std::string source = files.size() == 1 ? "image" : fmt::format("images[{}]", images.size());
      images.push_back(data::decode_image(file, source));
    }
    return predictor_.encode(images);
  }

  Tensor run(const Tensor& x) override { return predictor_.run(x); }
  std::vector<infer::Prediction> decode(const Tensor& y) const override { return predictor_.decode(y); }

 private:
  infer::Predictor predictor_;
};

}  // namespace

std::unique_ptr<Model> make_model(infer::Predictor predictor) {
  return std::make_unique<BundleModel>(std::move(predictor));
}

}  // namespace danlu::serve
