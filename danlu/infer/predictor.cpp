#include "danlu/infer/predictor.h"

#include <algorithm>
#include <optional>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/image/preprocess.h"
#include "danlu/data/table/preprocessor.h"
#include "danlu/data/table/saved_state.h"
#include "danlu/data/text/text_preprocess.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/infer/background.h"
#include "danlu/learn/models/autoencoder.h"
#include "danlu/learn/models/gan.h"
#include "danlu/learn/nn/compact_weight.h"
#include "danlu/learn/nn/sequence.h"
#include "danlu/learn/train/heads_objective.h"
#include "danlu/learn/train/objective.h"

namespace danlu::infer {

namespace {

constexpr const char* kWhere = "infer.predictor";

// Token ids (N, T) with padding up to `width`, and without what is padding in every row.
Tensor widened(const Tensor& ids, int64_t width) {
  Tensor wide = Tensor::zeros({ids.size(0), width}, Dtype::i64);
  for (int64_t n = 0; n < ids.size(0); ++n) {
    std::copy_n(ids.data<int64_t>() + n * ids.size(1), ids.size(1), wide.mutable_data<int64_t>() + n * width);
  }
  return wide;
}
Tensor narrowed(const Tensor& ids) {
  const Tensor lengths = nn::lengths_of(ids);
  const int64_t longest = std::max<int64_t>(1, *std::max_element(lengths.span<int64_t>().begin(), lengths.span<int64_t>().end()));
  Tensor narrow = Tensor::empty({ids.size(0), longest}, Dtype::i64);
  for (int64_t n = 0; n < ids.size(0); ++n) {
    std::copy_n(ids.data<int64_t>() + n * ids.size(1), longest, narrow.mutable_data<int64_t>() + n * longest);
  }
  return narrow;
}

}  // namespace

struct Predictor::Impl {
  explicit Impl(Bundle opened)
      : bundle(std::move(opened)), config(bundle.config.to_json()), objective(bundle.config.task), heads(bundle.config.heads), parameters(nn::count_weights(*bundle.model)),
        rebuilds(dynamic_cast<const models::Autoencoder*>(bundle.model.get()) != nullptr) {
    if (dynamic_cast<const models::Gan*>(bundle.model.get()) != nullptr) {
      throw DataError(kWhere, fmt::format("{}: makes images and predicts nothing; ask it with danlu generate, or POST /v1/images/generations", bundle.directory.string()));
    }
    const std::string source = (bundle.directory / "preprocess.json").string();
    Shape encoded;
    if (bundle.config.input == InputKind::table) {
      table = data::TablePreprocessor::from_json(bundle.preprocess, source);
      encoded = Shape{table.num_features()};
      const fs::path path = bundle.directory / "background.json";
      if (fs::exists(path)) background = read_background(read_json(path), table.num_features(), path.string());
    } else if (bundle.config.input == InputKind::text) {
      text.emplace(data::TextPreprocess::from_json(bundle.preprocess, source));
      encoded = Shape{text->length()};
      const int64_t vocabulary = bundle.config.model.value("vocab_size", int64_t{0});
      if (vocabulary < text->vocab_size()) {
        throw DataError(kWhere, fmt::format("{}: makes {} different tokens; the model knows {}", source, text->vocab_size(), vocabulary));
      }
    } else {
      image.emplace(data::ImagePreprocess::from_json(bundle.preprocess, source));
      const data::SavedState state(bundle.preprocess, source);
      if (state.has("target")) image_target.emplace(data::TargetEncoder::from_json(state.inner("target")));
      encoded = Shape{image->height(), image->width(), image->channels()};
    }
    check_targets(source);
    if (!(encoded == bundle.config.input_shape)) {
      throw DataError(kWhere, fmt::format("{}: makes samples of shape {}; the model takes {}", source, encoded.str(),
                                          bundle.config.input_shape.str()));
    }
  }

  // What is told, where the transforms know it. Of images in directories the model alone does.
  bool knows_target() const { return !image || image_target; }
  const data::TargetEncoder& target() const { return text ? text->target() : image ? *image_target : table.target_encoder(); }

  // What the transforms were fitted to tell must be what the model tells: names may differ (data.class_names), numbers may not.
  void check_targets(const std::string& source) const {
    const std::vector<data::Head>& given = bundle.config.heads;
    const auto refuse = [&](const std::string& made_for, const std::string& model) {
      throw DataError(kWhere, fmt::format("{}: was made for {}; the model of config.json has {}: take both files from one bundle", source, made_for, model));
    };
    if (!knows_target()) {
      if (!given.empty()) refuse("images, of which one target is told", fmt::format("{} heads", given.size()));
      return;
    }
    const auto described = [](const std::string& name, data::TaskKind task, size_t classes) {
      return fmt::format("{}{} {}", name.empty() ? "" : name + ", ", data::name_of(task), data::has_classes(task) || task == data::TaskKind::multilabel ? fmt::format("of {} classes", classes) : "task");
    };
    const data::TaskKind task = bundle.config.task;
    const size_t fitted = target().class_names().size(), classes = bundle.config.class_names.size();
    const bool fits = target().task() == task && (task == data::TaskKind::clustering || fitted == classes);
    if (!fits) refuse(fmt::format("a {}", described("", target().task(), fitted)), fmt::format("a {}", described("", task, classes)));
    const std::vector<data::TargetEncoder>& targets = target().targets();
    if (targets.size() != given.size()) refuse(fmt::format("{} targets", targets.size()), fmt::format("{} heads", given.size()));
    for (size_t h = 0; h < given.size(); ++h) {
      const data::TargetEncoder& one = targets[h];
      const data::Head& head = given[h];
      if (one.name() == head.name && one.task() == head.task && one.class_names().size() == head.class_names.size()) continue;
      refuse(fmt::format("target {}: {}", h + 1, described(one.name(), one.task(), one.class_names().size())), fmt::format("head {}: {}", h + 1, described(head.name, head.task, head.class_names.size())));
    }
  }

  Bundle bundle;
  Json config;
  train::PredictionObjective objective;  // of one target
  train::HeadsObjective heads;           // of several
  int64_t parameters;
  bool rebuilds;  // an autoencoder, whose answer is how far its image is from the one asked
  data::TablePreprocessor table;              // one of the three, by bundle.config.input
  std::optional<data::ImagePreprocess> image;
  std::optional<data::TargetEncoder> image_target;
  std::optional<data::TextPreprocess> text;
  Tensor background;
};

Predictor::Predictor(const fs::path& bundle) : impl_(std::make_unique<Impl>(read_bundle(bundle))) {}
Predictor::~Predictor() = default;
Predictor::Predictor(Predictor&&) noexcept = default;
Predictor& Predictor::operator=(Predictor&&) noexcept = default;

const std::string& Predictor::name() const { return impl_->bundle.config.name; }
InputKind Predictor::input_kind() const { return impl_->bundle.config.input; }
data::TaskKind Predictor::task() const { return impl_->bundle.config.task; }
const std::vector<data::Head>& Predictor::heads() const { return impl_->bundle.config.heads; }
const std::vector<std::string>& Predictor::class_names() const { return impl_->bundle.config.class_names; }
const std::vector<std::string>& Predictor::input_columns() const { return impl_->text ? impl_->text->columns() : impl_->table.input_columns(); }
const data::MissingWords& Predictor::missing() const { return impl_->bundle.config.missing; }
int64_t Predictor::num_parameters() const { return impl_->parameters; }
const Json& Predictor::config() const { return impl_->config; }
const data::TablePreprocessor* Predictor::table_preprocess() const { return input_kind() == InputKind::table ? &impl_->table : nullptr; }
const data::TextPreprocess* Predictor::text_preprocess() const { return impl_->text ? &*impl_->text : nullptr; }
const Tensor& Predictor::background() const { return impl_->background; }

Tensor Predictor::encode(const data::Table& table) const {
  if (input_kind() == InputKind::image) throw DataError(kWhere, fmt::format("{} takes images; got rows of a table", name()));
  if (!impl_->text) return impl_->table.apply(table);
  // As wide for every request, so that requests can be run as one batch.
  return widened(impl_->text->encode(table), impl_->text->length());
}

Tensor Predictor::encode(std::span<const data::Image> images) const {
  if (input_kind() != InputKind::image) throw DataError(kWhere, fmt::format("{} takes rows of a table; got images", name()));
  return impl_->image->encode(images);
}

Tensor Predictor::narrowed(const Tensor& x) const { return impl_->text ? infer::narrowed(x) : x; }
const nn::Module& Predictor::model() const { return *impl_->bundle.model; }

Tensor Predictor::run(const Tensor& x) {
  const NoGrad no_grad;
  const Tensor outputs = (*impl_->bundle.model)(narrowed(x));
  if (impl_->rebuilds) return models::reconstruction_errors(x, outputs).view({x.size(0), 1});
  if (task() == data::TaskKind::multitask) return impl_->heads.answer(outputs);
  return impl_->objective.answer(impl_->bundle.config.decides() ? impl_->bundle.config.decision.calibrated(outputs) : outputs);
}

std::vector<Prediction> Predictor::decode(const Tensor& outputs) const {
  std::vector<Prediction> predictions(static_cast<size_t>(outputs.size(0)));
  const int64_t width = outputs.size(1);
  const float* row = outputs.data();
  for (Prediction& p : predictions) {
    p.notice = impl_->bundle.config.notice;
    if (task() == data::TaskKind::multitask) {
      const float* answer = row;
      for (size_t h = 0; h < heads().size(); ++h) {
        const data::Head& head = heads()[h];
        Prediction one{};
        if (head.task == data::TaskKind::regression) {
          one.value = impl_->target().targets()[h].inverse(static_cast<double>(answer[0]));
        } else {
          one.probabilities.assign(answer, answer + head.class_names.size());
          one.label = head.class_names[static_cast<size_t>(Decision().choose(one.probabilities))];
        }
        p.targets[head.name] = to_json(one, head.class_names);
        answer += train::answer_width(head);
      }
    } else if (class_names().empty()) {
      p.value = impl_->knows_target() ? impl_->target().inverse(static_cast<double>(row[0])) : static_cast<double>(row[0]);
    } else if (task() == data::TaskKind::clustering) {
      p.distances.assign(row, row + width);
      p.label = class_names()[static_cast<size_t>(std::min_element(row, row + width) - row)];
    } else if (task() == data::TaskKind::multilabel) {
      p.several_labels = true;
      p.probabilities.assign(row, row + width);
      for (const size_t k : impl_->bundle.config.decision.choose_labels(p.probabilities)) p.labels.push_back(class_names()[k]);
    } else {
      p.probabilities.assign(row, row + width);
      const Decision& decision = impl_->bundle.config.decision;
      p.label = decision.abstains(p.probabilities) ? kAbstain : class_names()[static_cast<size_t>(decision.choose(p.probabilities))];
    }
    row += width;
  }
  return predictions;
}

Json to_json(const Prediction& prediction, const std::vector<std::string>& class_names) {
  Json json = Json::object();
  if (!prediction.targets.is_null()) {
    json["targets"] = prediction.targets;
  } else if (class_names.empty()) {
    json["value"] = prediction.value;
  } else if (!prediction.distances.empty()) {
    json["cluster"] = prediction.label;
    for (size_t k = 0; k < class_names.size(); ++k) json["distances"][class_names[k]] = prediction.distances[k];
  } else {
    if (prediction.several_labels) json["labels"] = prediction.labels;
    else json["label"] = prediction.label;
    for (size_t c = 0; c < class_names.size(); ++c) json["probabilities"][class_names[c]] = prediction.probabilities[c];
  }
  if (!prediction.notice.empty()) json["notice"] = prediction.notice;
  return json;
}

}  // namespace danlu::infer
