// Runs that learn to foretell series of numbers: the past of each to the periods that come next.
//
//   prepare   -> data_report.{json,txt}, split.json, preprocess.json
//   bundle    -> bundle/: infer::Forecaster, its intervals from the errors on the validation part
//   evaluate  -> report.{json,txt}, forecasts.json, explanation.json, example_request.json: a walk-forward test. The origin moves through the test part; at
//                each the model, which is trained once, is shown all that had been measured by then, beside the naive forecast (the last
//                value) and the seasonal naive one (the value a season before)
//
// The parts follow each other in time, the same for all series: training, validation, test.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "danlu/app/recipe/pipeline.h"
#include "danlu/data/dataset/series_dataset.h"
#include "danlu/data/series/report.h"
#include "danlu/eval/forecast.h"
#include "danlu/infer/forecaster.h"

namespace danlu::app {

class ForecastPipeline : public Pipeline {
 public:
  ForecastPipeline(Recipe recipe, RunDirectory directory, Observer observer);
  ForecastPipeline(RunDirectory directory, Observer observer);

  void check() override;
  void prepare() override;
  train::Result train(train::Start start) override;

 private:
  struct Source {
    data::Panel panel;
    data::TimeSplit split;
    data::SeriesPreprocess preprocess;
    data::SeriesReport report;
  };
  // What several ways to foretell say of the same origins: (windows, horizon) each.
  struct Forecasts {
    eval::Walk walk;
    std::vector<double> model, naive, seasonal;
    std::vector<double> scales;  // of each window
  };
  const Source& source();
  std::string data_hash() override { return source().panel.hash().hex(); }
  std::vector<data::Origin> origins(data::Part part);
  std::unique_ptr<nn::Module> make_model();
  void write_bundle() override;
  Evaluation measure() override;
  std::vector<eval::ResidualBand> find_bands(nn::Module& model);
  Forecasts foretell(const std::vector<data::Origin>& origins, const std::function<Tensor(const Tensor&)>& run);
  Json examples(const Forecasts& forecasts, const std::vector<data::Origin>& origins, const infer::Forecaster& forecaster);
  Json example_request(const infer::Forecaster& forecaster);
  Json explain(const infer::Forecaster& forecaster, const std::vector<data::Origin>& origins);

  std::optional<Source> source_;
  bool prepared_ = false;  // by somebody before: the data are to be as they were then
};

}  // namespace danlu::app
