// Runs that learn what images look like: a GAN makes new ones, an autoencoder rebuilds them. Labels are not needed, and read for a conditional
// GAN alone.
//
//   prepare   -> data_report.{json,txt}, split.json, preprocess.json, config.json; of a GAN features.safetensors, the autoencoder by whose
//                code its images are compared with real ones
//   train     -> also samples/STEP.png after each validation: what the GAN makes of one and the same noise, or images of the validation
//                split above what the autoencoder makes of them; samples.jsonl lists them
//   evaluate  -> report.{json,txt}, of a GAN samples/final.png
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "danlu/app/recipe/image_quality.h"
#include "danlu/app/recipe/pipeline.h"
#include "danlu/data/image/labeled_images.h"
#include "danlu/data/image/preprocess.h"
#include "danlu/infer/bundle.h"
#include "danlu/learn/models/model.h"

namespace danlu::app {

class ImagePipeline : public Pipeline {
 public:
  ImagePipeline(Recipe recipe, RunDirectory directory, Observer observer);
  ImagePipeline(RunDirectory directory, Observer observer);

  void check() override;
  void prepare() override;
  train::Result train(train::Start start) override;

 private:
  bool makes_images() const { return models::parse_model(recipe_.model).type == "gan"; }
  bool is_conditional() const { return models::parse_model(recipe_.model).resolved.value("conditional", false); }
  int64_t shown_images();
  data::Image grid_of(std::span<const data::Image> shown);
  std::string data_hash() override;
  void show_validation(formats::EventWriter& events, const train::EpochReport& epoch) override;
  const data::LabeledImages& images();
  const data::Split& split();
  data::ImagePreprocess preprocess();
  std::unique_ptr<nn::Module> make_fresh_model();
  std::unique_ptr<nn::Module> make_model();
  std::unique_ptr<models::Autoencoder> make_features();
  void learn_features();
  void write_bundle() override;
  Evaluation measure() override;
  void write_card(const Json& report, const std::string& text) const override;
  Json measure_gan();
  Json measure_autoencoder();

  std::optional<data::LabeledImages> images_;
  std::vector<Hash128> hashes_;
  std::optional<data::Split> split_;
  nn::Module* learning_ = nullptr;  // while it is trained
};

}  // namespace danlu::app
