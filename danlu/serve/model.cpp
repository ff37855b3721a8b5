#include "danlu/serve/model.h"

#include <utility>

#include "danlu/base/error.h"
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

  Tensor encode_rows(const Json& rows) const override { return predictor_.encode(table(rows)); }
  Tensor encode_images(std::span<const std::string_view> files) const override { return predictor_.encode(images(files)); }

  Tensor run(const Tensor& x) override { return predictor_.run(x); }
  std::vector<infer::Prediction> decode(const Tensor& y) const override { return predictor_.decode(y); }

  std::vector<infer::Explanation> explain_rows(const Json& rows, const infer::Run& run) const override { return infer::explain(predictor_, table(rows), run); }
  std::vector<infer::Explanation> explain_images(std::span<const std::string_view> files, const infer::Run& run) const override {
    return infer::explain(predictor_, images(files), run);
  }

 private:
  data::Table table(const Json& rows) const { return data::table_from_rows(rows, "request", predictor_.missing()); }

  static std::vector<data::Image> images(std::span<const std::string_view> files) {
    std::vector<data::Image> images;
    for (const std::string_view file : files) {
      const std::string source = files.size() == 1 ? "image" : fmt::format("images[{}]", images.size());
      images.push_back(data::decode_image(file, source));
    }
    return images;
  }

  infer::Predictor predictor_;
};

}  // namespace

std::vector<infer::Explanation> Model::explain_rows(const Json& /*rows*/, const infer::Run& /*run*/) const {
  throw DataError("serve.model", "this model gives no reasons for its answers; ask it without explain");
}
std::vector<infer::Explanation> Model::explain_images(std::span<const std::string_view> /*files*/, const infer::Run& run) const {
  return explain_rows(Json(), run);
}

std::unique_ptr<Model> make_model(infer::Predictor predictor) {
  return std::make_unique<BundleModel>(std::move(predictor));
}

}  // namespace danlu::serve
