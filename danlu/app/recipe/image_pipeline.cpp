#include "danlu/app/recipe/image_pipeline.h"

#include <algorithm>

#include "danlu/app/recipe/commit.h"
#include "danlu/app/recipe/derive.h"
#include "danlu/app/recipe/gates.h"
#include "danlu/app/recipe/latency.h"
#include "danlu/app/recipe/split_file.h"
#include "danlu/base/base64.h"
#include "danlu/base/error.h"
#include "danlu/base/eta.h"
#include "danlu/base/format.h"
#include "danlu/base/version.h"
#include "danlu/data/image/decode.h"
#include "danlu/data/image/grid.h"
#include "danlu/data/image/report.h"
#include "danlu/data/image/source.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/random.h"
#include "danlu/eval/bootstrap.h"
#include "danlu/infer/image_generator.h"
#include "danlu/learn/train/adversarial_objective.h"
#include "danlu/learn/train/checkpoint.h"
#include "danlu/learn/train/reconstruction_objective.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.images";
constexpr int64_t kGrid = 64, kGridColumns = 8;
constexpr int64_t kEvaluationBatch = 256;
constexpr uint64_t kShownSeed = 1, kValidationSeed = 2, kTestSeed = 3;  // of noise: what is measured is not what is shown
constexpr int64_t kTested = 4096, kTestedLookedUp = 1024;               // images made at evaluation

// For report.json: a measure as quality gates and reports read it.
Json metric(double value, const char* better) { return {{"value", value}, {"better", better}}; }

}  // namespace

ImagePipeline::ImagePipeline(Recipe recipe, RunDirectory directory, Observer observer)
    : Pipeline(std::move(recipe), std::move(directory), std::move(observer)) {
  derive_choices(recipe_, infer::InputKind::image, images().size(), false);
}

ImagePipeline::ImagePipeline(RunDirectory directory, Observer observer)
    : Pipeline(reopen_recipe(directory.file("resolved.yaml")), directory, std::move(observer)) {}

const data::LabeledImages& ImagePipeline::images() {
  if (images_) return *images_;
  const bool labels = is_conditional();
  images_ = data::read_images(recipe_.data.source, recipe_.data.image, labels ? recipe_.data.table.classes : std::vector<std::string>(),
                              labels ? data::Labels::directories : data::Labels::none);
  hashes_ = data::hash_images(*images_);
  return *images_;
}

std::string ImagePipeline::data_hash() {
  images();
  std::string content(reinterpret_cast<const char*>(hashes_.data()), hashes_.size() * sizeof(Hash128));
  if (is_conditional()) content.append(reinterpret_cast<const char*>(images_->labels.data()), images_->labels.size() * sizeof(int64_t));
  return hash_text(content).hex();
}

// Of a run that is prepared it is read back.
const data::Split& ImagePipeline::split() {
  if (!split_) {
    require_unchanged(data_hash());
    split_ = read_split(directory_.file("split.json"), images().size());
  }
  return *split_;
}

// To [-1, 1], which tanh makes.
data::ImagePreprocess ImagePipeline::preprocess() {
  const Shape& shape = images().pixels.shape();
  const std::vector<double> half(static_cast<size_t>(shape[3]), 0.5);
  return {shape[1], shape[2], half, half};
}

// With its first weights; what is taken from another model comes over them.
std::unique_ptr<nn::Module> ImagePipeline::make_fresh_model() {
  manual_seed(static_cast<uint64_t>(recipe_.seed));
  const Shape& shape = images().pixels.shape();
  return models::parse_model(recipe_.model).make({shape[1], shape[2], shape[3]}, std::ssize(images().class_names));
}

std::unique_ptr<nn::Module> ImagePipeline::make_model() {
  auto model = make_fresh_model();
  put_transferred(*model);
  return model;
}

void ImagePipeline::check() {
  train::check(recipe_.train);
  if (recipe_.train.monitor == "accuracy") throw ConfigError(kWhere, "train.monitor: got accuracy; expected loss: images without labels have no classes");
  if (recipe_.evaluate.kfold.folds > 0) throw ConfigError(kWhere, "evaluate.kfold is for tables and images with classes; this recipe has none");
  if (!is_conditional() && !recipe_.data.table.classes.empty()) {
    throw ConfigError(kWhere, fmt::format("data.classes: got {}; expected none: only a gan with model.conditional: true reads the classes of images", fmt::join(recipe_.data.table.classes, ", ")));
  }
  std::vector<std::string> measures = {"frechet_distance", "diversity", "nearest_distance", "least_distance", "copies"};
  if (is_conditional()) measures.emplace_back("class_accuracy");
  if (makes_images()) check_gates_are_measured(recipe_.evaluate.gates, measures);
  else check_gates_are_measured(recipe_.evaluate.gates, {"reconstruction_error"});
  plan_weights(*make_fresh_model(), nullptr);  // throws for images of a size that it cannot make
  split_ = data::split({.size = images().size(), .labels = is_conditional() ? std::span<const int64_t>(images().labels) : std::span<const int64_t>(), .hashes = hashes_, .given = images().given}, recipe_.data.split);
  for (const auto& [part, name] : {std::pair(&split_->validation, "validation"), std::pair(&split_->test, "test")}) {
    if (part->size() < 2) {
      throw ConfigError(kWhere, fmt::format("got a {0} split of {1} images; expected at least 2, which what the model makes is compared with; "
                                            "set data.split.{0}, or give more images", name, part->size()));
    }
  }
}

void ImagePipeline::prepare() {
  begin("prepare");
  check();
  directory_.start_fresh();
  guarded([&] {
    const auto model = make_model();
    start_directory({{"data_hash", data_hash()}, {"samples", images().size()}, {"parameters", model->num_parameters()}});
    write_transfer();
    const data::ImageReport quality = data::image_report(images(), hashes_, *split_);
    write_json(directory_.file("data_report.json"), quality.to_json());
    write_file_atomic(directory_.file("data_report.txt"), quality.text());
    report("data", quality.text(), quality.to_json());
    write_json(directory_.file("split.json"), {{"train", split_->train}, {"validation", split_->validation}, {"test", split_->test}});
    write_json(directory_.file("preprocess.json"), preprocess().to_json());
    infer::BundleConfig config;
    config.name = recipe_.name;
    config.task = makes_images() ? data::TaskKind::generation : data::TaskKind::regression;
    if (is_conditional()) config.class_names = images().class_names;
    config.input = infer::InputKind::image;
    config.input_shape = Shape(images().pixels.shape().sizes().subspan(1));
    config.target = makes_images() ? "image" : "reconstruction_error";
    config.notice = recipe_.notice;
    config.model = models::parse_model(recipe_.model).resolved;
    config.training = {{"danlu", version()}, {"git_commit", git_commit()}, {"seed", recipe_.seed}, {"data_hash", data_hash()},
                       {"train_samples", split_->train.size()}};
    write_json(directory_.file("config.json"), config.to_json());
    const std::string plan = fmt::format("{}\n{} images to train, {} to validate, {} to test; {} parameters\n", model->describe(), split_->train.size(),
                                         split_->validation.size(), split_->test.size(), model->num_parameters());
    report("plan", plan, {{"train", split_->train.size()}, {"validation", split_->validation.size()}, {"test", split_->test.size()},
                          {"parameters", model->num_parameters()}, {"model", config.model}});
    if (makes_images()) learn_features();
    directory_.update({{"status", "prepared"}});
  });
}

std::unique_ptr<models::Autoencoder> ImagePipeline::make_features() {
  manual_seed(static_cast<uint64_t>(recipe_.seed));
  const Shape& shape = images().pixels.shape();
  return std::make_unique<models::Autoencoder>(models::AutoencoderOptions{.code = 32, .width = 16}, Shape{shape[1], shape[2], shape[3]});
}

// A few passes over the training images, or over some of many, are enough for a measure.
void ImagePipeline::learn_features() {
  constexpr int64_t kMostUpdates = 1000, kPasses = 20;
  const auto features = make_features();
  const data::ImageDataset dataset(images(), preprocess());
  data::DataLoader training(dataset, split().train, {.batch_size = 64}, static_cast<uint64_t>(recipe_.seed), data::Phase::train);
  train::TrainOptions options;
  options.steps = std::min(kMostUpdates, kPasses * training.batches_per_epoch());
  options.optimizer = {{"type", "adam"}, {"lr", 2e-3}};
  options.schedule = "cosine";
  options.on_spike = "ignore";
  train::Trainer(*features, train::ReconstructionObjective(), options).fit(training, nullptr);
  train::save_checkpoint(directory_.file("features.safetensors"), *features, nullptr, Json::object());
}

train::Result ImagePipeline::train(train::Start start) {
  train::Result result;
  stage("train", [&] {
    const data::Split& parts = split();
    const auto seed = static_cast<uint64_t>(recipe_.seed);
    std::unique_ptr<models::Autoencoder> features;
    std::optional<ImageQuality> quality;
    if (makes_images()) {
      features = make_features();
      train::load_checkpoint(directory_.file("features.safetensors"), *features);
      quality.emplace(*features, images(), parts.train, parts.validation);
    }
    const auto model = make_model();
    const data::ImageDataset dataset(images(), preprocess(), recipe_.data.augment);
    data::DataLoader training(dataset, parts.train, {.batch_size = recipe_.train.batch_size}, seed, data::Phase::train);
    data::DataLoader validation(dataset, parts.validation, {.batch_size = kEvaluationBatch}, seed, data::Phase::evaluate);
    learning_ = model.get();
    if (makes_images()) {
      const train::AdversarialObjective objective(recipe_.train.objective, [&](models::Gan& gan) { return quality->validate(gan, kValidationSeed); });
      result = fit(start, *model, objective, training, &validation);
    } else {
      result = fit(start, *model, train::ReconstructionObjective(), training, &validation);
    }
    learning_ = nullptr;
  });
  return result;
}

// Of a conditional GAN a row for each class.
int64_t ImagePipeline::shown_images() { return is_conditional() ? kGridColumns * std::ssize(images().class_names) : kGrid; }

data::Image ImagePipeline::grid_of(std::span<const data::Image> shown) {
  return is_conditional() ? data::image_rows(shown, std::ssize(images().class_names)) : data::image_grid(shown, kGridColumns);
}

void ImagePipeline::show_validation(formats::EventWriter& events, const train::EpochReport& epoch) {
  const NoGrad no_grad;
  const nn::EvalMode eval(*learning_);
  std::vector<data::Image> shown;
  if (const auto* gan = dynamic_cast<const models::Gan*>(learning_)) {
    shown = infer::to_images(infer::make_images(*gan, shown_images(), kShownSeed));
  } else {
    // Rows of originals, each above the row of what became of it.
    const std::vector<int64_t>& part = split().validation;
    const auto count = std::min<size_t>(part.size(), kGrid / 2);
    data::Batch batch;
    data::ImageDataset(images(), preprocess()).gather(std::span(part).first(count), batch);
    const std::vector<data::Image> originals = infer::to_images(batch.x), rebuilt = infer::to_images((*learning_)(batch.x));
    for (size_t row = 0; row < count; row += kGridColumns) {
      const auto end = std::min<size_t>(row + kGridColumns, count);
      shown.insert(shown.end(), originals.begin() + static_cast<int64_t>(row), originals.begin() + static_cast<int64_t>(end));
      shown.insert(shown.end(), rebuilt.begin() + static_cast<int64_t>(row), rebuilt.begin() + static_cast<int64_t>(end));
    }
  }
  const data::Image grid = grid_of(shown);
  const std::string png = data::encode_png(grid), name = fmt::format("samples/{:08}.png", epoch.progress.step);
  make_directories(directory_.file("samples"));
  write_file_atomic(directory_.file(name.c_str()), png);
  LineAppender(directory_.file("samples.jsonl")).append(to_line(Json{{"step", epoch.progress.step}, {"file", name}}));
  events.png("samples", epoch.progress.step, png, grid.height, grid.width, static_cast<int>(grid.channels));
}

void ImagePipeline::write_bundle() {
  const fs::path path = directory_.file("config.json");
  infer::BundleConfig config = infer::BundleConfig::from_json(read_json(path), path.string());
  const auto model = models::parse_model(config.model).make(config.input_shape, config.outputs());
  config.training.update(load_best(*model));
  infer::write_bundle(directory_.bundle(), config, *model, read_json(directory_.file("preprocess.json")));
}

Json ImagePipeline::measure_gan() {
  const infer::ImageGenerator generator(directory_.bundle());
  const auto features = make_features();
  train::load_checkpoint(directory_.file("features.safetensors"), *features);
  const ImageQuality quality(*features, images(), split().train, split().test);
  const ImageQuality::Result r = quality.measure(generator.gan(), kTested, kTestedLookedUp, kTestSeed);
  const Timer timer;
  const CpuTimer cpu;
  const std::vector<data::Image> shown = generator.generate(shown_images(), kShownSeed);
  const Effort effort{timer.seconds(), cpu.seconds()};
  make_directories(directory_.file("samples"));
  write_file_atomic(directory_.file("samples/final.png"), data::encode_png(grid_of(shown)));
  Json found = {{"task", "generation"},
          {"made", r.samples},
          {"samples", split().test.size()},  // that they are compared with
          {"looked_up", r.looked_up},
          {"metrics", {{"frechet_distance", metric(r.frechet_distance, "lower")}, {"diversity", metric(r.diversity, "higher")},
                       {"nearest_distance", metric(r.nearest_distance, "higher")}, {"least_distance", metric(r.least_distance, "higher")},
                       {"copies", metric(static_cast<double>(r.copies), "lower")}}},
          {"frechet_distance_of_real_halves", quality.floor()},
          {"cost", {{fmt::format("images made, {} at a time", shown.size()), per_thousand(static_cast<double>(shown.size()), effort, recipe_.evaluate.price_per_hour)}}}};
  if (r.class_accuracy) {
    found["metrics"]["class_accuracy"] = metric(*r.class_accuracy, "higher");
    found["class_accuracy_of_real_halves"] = quality.class_accuracy_of_real();
  }
  return found;
}

Json ImagePipeline::measure_autoencoder() {
  infer::Bundle bundle = infer::read_bundle(directory_.bundle());
  const NoGrad no_grad;
  const data::ImageDataset dataset(images(), preprocess());
  data::DataLoader loader(dataset, split().test, {.batch_size = kEvaluationBatch}, 0, data::Phase::evaluate);
  std::vector<double> errors;
  const Timer timer;
  const CpuTimer cpu;
  for (const data::Batch& batch : loader) {
    for (const float error : models::reconstruction_errors(batch.x, (*bundle.model)(batch.x)).span()) errors.push_back(static_cast<double>(error));
  }
  const Effort effort{timer.seconds(), cpu.seconds()};
  double total = 0;
  for (const double error : errors) total += error;
  std::vector<double> sorted = errors;
  std::sort(sorted.begin(), sorted.end());
  const auto quantile = [&](double q) { return sorted[std::min(static_cast<size_t>(q * static_cast<double>(sorted.size())), sorted.size() - 1)]; };
  return {{"task", "reconstruction"},
          {"samples", errors.size()},
          {"metrics", {{"reconstruction_error", metric(total / static_cast<double>(errors.size()), "lower")}}},
          {"error_quantiles", {{"0.5", quantile(0.5)}, {"0.95", quantile(0.95)}, {"0.99", quantile(0.99)}, {"0.999", quantile(0.999)}}},
          {"cost", {{"errors, in batches", per_thousand(static_cast<double>(errors.size()), effort, recipe_.evaluate.price_per_hour)}}}};
}

Evaluation ImagePipeline::measure() {
  const bool gan = makes_images();
  Evaluation found{.measured = gan ? measure_gan() : measure_autoencoder(), .text = {}};
  const Json& json = found.measured;
  const auto value = [&](const char* name) { return json["metrics"][name]["value"].get<double>(); };
  std::string& text = found.text;
  if (gan) {
    text = fmt::format("{} images made, beside {} of the test split\n\n", json["made"].get<int64_t>(), split().test.size());
    text += fmt::format("  Fréchet distance   {:.3f}   of the codes of features.safetensors; {:.3f} between two halves of the test images\n",
                        value("frechet_distance"), json["frechet_distance_of_real_halves"].get<double>());
    text += fmt::format("  diversity          {:.3f}   of that of the test images\n", value("diversity"));
    text += fmt::format("  nearest distance   {:.4f}  to a training image, root mean square; the closest of {}: {:.4f}\n", value("nearest_distance"),
                        json["looked_up"].get<int64_t>(), value("least_distance"));
    text += fmt::format("  copies             {}       equal to a training image\n", static_cast<int64_t>(value("copies")));
    if (json["metrics"].contains("class_accuracy")) {
      text += fmt::format("  class accuracy     {:.3f}   by the nearest test image; {:.3f} of one half of these by the other\n", value("class_accuracy"),
                          json["class_accuracy_of_real_halves"].get<double>());
    }
    found.example_request = {{"model", recipe_.name}, {"n", 4}, {"seed", 1}};
    if (is_conditional()) found.example_request["class"] = images().class_names.front();
  } else {
    const Json& q = json["error_quantiles"];
    text = fmt::format("reconstruction error  {:.5f}  mean over {} images of the test split, of pixels in [-1, 1]\n", value("reconstruction_error"), json["samples"].get<int64_t>());
    text += fmt::format("half of them are below {:.5f}, 95 % below {:.5f}, 99 % below {:.5f}, 99.9 % below {:.5f}\n", q["0.5"].get<double>(), q["0.95"].get<double>(),
                        q["0.99"].get<double>(), q["0.999"].get<double>());
    data::Batch batch;
    data::ImageDataset(images(), preprocess()).gather(std::span(split().test).first(1), batch);
    found.example_request = {{"model", recipe_.name}, {"image", base64_encode(data::encode_png(infer::to_images(batch.x).front()))}};
  }
  found.measured["part"] = found.part;
  return found;
}

void ImagePipeline::write_card(const Json& report, const std::string& text) const {
  const Json info = directory_.info(), training = info.value("training", Json::object());
  std::string card = fmt::format("# {}\n\nMade by danlu {} from {}, {}.\n\n{}", recipe_.name, version(), recipe_.data.source, info.value("started", ""), verdict_text());
  card += fmt::format("- data: {} images, hash {}\n- model: {} parameters, weights hash {}\n- training: {} updates in {}, stopped by {}\n\n",
                      info.value("samples", int64_t{0}), info.value("data_hash", ""), info.value("parameters", int64_t{0}), training.value("weights_hash", ""),
                      training.value("steps", int64_t{0}), format_duration(training.value("seconds", 0.0)), training.value("stopped_by", ""));
  card += "## Quality on images held out\n\n```\n" + text + "```\n\n" + cost_text(info, report);
  write_file_atomic(directory_.bundle() / "card.md", card);
}

}  // namespace danlu::app
