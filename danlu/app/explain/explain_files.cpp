#include "danlu/app/explain/explain_files.h"

#include "danlu/app/explain/heat_map.h"
#include "danlu/app/recipe/predict_files.h"
#include "danlu/base/base64.h"
#include "danlu/data/image/decode.h"
#include "danlu/data/table/read_table.h"
#include "danlu/infer/explanation.h"

namespace danlu::app {
namespace {

Json answer(const infer::Predictor& predictor, const char* subject, Json name, const infer::Prediction& said, const infer::Explanation& why) {
  Json json = {{subject, std::move(name)}};
  json.update(infer::to_json(said, predictor.class_names()));
  json["explanation"] = infer::to_json(why);
  return json;
}

}  // namespace

Json explain_files(infer::Predictor& predictor, const std::vector<fs::path>& inputs, const data::CsvOptions& csv, int64_t most) {
  const auto run = [&](const Tensor& x) { return predictor.run(x); };
  const auto enough = [&](const Json& answers) { return most > 0 && static_cast<int64_t>(answers.size()) >= most; };
  Json answers = Json::array();
  if (predictor.input_kind() == infer::InputKind::image) {
    for (const fs::path& file : image_files(inputs)) {
      if (enough(answers)) break;
      const data::Image image = data::read_image(file);
      const std::span<const data::Image> one(&image, 1);
      const infer::Explanation why = infer::explain(predictor, one, run).at(0);
      answers.push_back(answer(predictor, "file", file.string(), predictor.decode(predictor.run(predictor.encode(one))).at(0), why));
      answers.back()["map"] = base64_encode(data::encode_png(heat_map(image, why)));
    }
    return answers;
  }
  for (const fs::path& input : inputs) {
    const data::Table table = data::read_table(input, csv);
    for (int64_t row = 0; row < table.num_rows() && !enough(answers); ++row) {
      const data::Table one = table.select(std::span(&row, 1));
      answers.push_back(answer(predictor, "line", table.line(row), predictor.decode(predictor.run(predictor.encode(one))).at(0), infer::explain(predictor, one, run).at(0)));
    }
  }
  return answers;
}

Json explain_forecast_files(const infer::Forecaster& forecaster, const std::vector<fs::path>& inputs, const data::CsvOptions& csv, int64_t most) {
  Json answers = Json::array();
  for (const fs::path& input : inputs) {
    for (const infer::Forecast& forecast : forecaster.explain(data::read_table(input, csv))) {
      if (most == 0 || std::ssize(answers) < most) answers.push_back(infer::to_json(forecast));
    }
  }
  return answers;
}

}  // namespace danlu::app
