// A language model in groups of 8 or 4 bits: rounded for texts of the training part, measured on the test part.
#include <algorithm>
#include <cmath>
#include <span>

#include "danlu/app/recipe/language_pipeline.h"
#include "danlu/app/recipe/language_quality.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/hash.h"
#include "danlu/base/rng.h"
#include "danlu/compress/quantize_gpt.h"
#include "danlu/data/dataset/loader.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/infer/cached_forward.h"
#include "danlu/infer/kv_cache.h"
#include "danlu/learn/models/gpt_quantized.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.compress";
constexpr int64_t kLeastCalibration = 8;        // windows
constexpr int64_t kMostCalibrationTokens = 65536;
constexpr int64_t kPrompt = 128;                // tokens whose reading is timed
constexpr const char* kWeights = "model.safetensors";

// So many windows of a text, drawn by a seed.
Tensor some_windows(const data::TokenDataset& text, int64_t count) {
  std::vector<int64_t> windows = data::all_indexes(text);
  Rng rng(0);
  rng.shuffle(windows);
  windows.resize(static_cast<size_t>(std::min<int64_t>(count, std::ssize(windows))));
  Tensor ids = Tensor::zeros({std::ssize(windows), text.context()}, Dtype::i64);
  data::DataLoader loader(text, windows, {.batch_size = 1}, 0, data::Phase::evaluate);
  int64_t row = 0;
  for (const data::Batch& batch : loader) {
    const auto from = batch.x.span<int64_t>();
    std::copy(from.begin(), from.end(), ids.mutable_data<int64_t>() + row++ * text.context());
  }
  return ids;
}

std::string weights_hash(const models::Gpt& network) {
  std::string all;
  for (const formats::NamedTensor& t : models::quantized_gpt_weights(network)) all += t.name + " " + hash_bytes(t.tensor.raw_bytes(), t.tensor.bytes()).hex() + "\n";
  return hash_text(all).hex();
}

eval::Statistic perplexity(const std::vector<eval::LanguageScore>& windows) {
  return [&windows](eval::Counts counts) {
    double nats = 0, tokens = 0;
    for (size_t i = 0; i < windows.size(); ++i) {
      const auto count = static_cast<double>(eval::count_of(counts, i));
      nats += count * windows[i].nats;
      tokens += count * static_cast<double>(windows[i].tokens);
    }
    return tokens > 0 ? std::exp(nats / tokens) : std::nan("");
  };
}

ComparedMetric compare_perplexity(const LanguageQuality& before, const LanguageQuality& after, const eval::BootstrapOptions& options) {
  const std::vector<eval::Statistic> both = {perplexity(before.windows), perplexity(after.windows)};
  const int64_t windows = std::ssize(before.windows);
  const std::vector<eval::Interval> intervals = eval::bootstrap_intervals(windows, both, options);
  return {.name = "perplexity", .direction = eval::Direction::lower_is_better, .before = both[0]({}), .after = both[1]({}),
          .before_interval = intervals[0], .after_interval = intervals[1], .change = eval::paired_bootstrap(windows, both[1], both[0], options)};
}

// A model that reads a prompt, and then goes on.
class Reader {
 public:
  explicit Reader(models::Gpt& network) : network_(network), cache_(network.options(), 1, infer::default_cache_format(network)) {
    const int64_t length = std::clamp<int64_t>(network.options().context / 2, 1, kPrompt);
    for (int64_t i = 0; i < length; ++i) prompt_.push_back(static_cast<data::TokenId>(7919 * i % network.options().vocab_size));
  }
  int64_t length() const { return std::ssize(prompt_); }
  void read() {
    if (slot_) cache_.release(*slot_, false);
    slot_ = cache_.claim(prompt_, 0)->slot;
    forward(prompt_);
  }
  void go_on() {
    if (!slot_ || cache_.length(*slot_) == network_.options().context) read();
    forward({prompt_.front()});
  }

 private:
  void forward(std::vector<data::TokenId> tokens) {
    const NoGrad no_grad;
    const infer::Piece piece{*slot_, std::move(tokens)};
    const Tensor hidden = infer::cached_forward(network_, cache_, std::span(&piece, 1));
    network_.logits(hidden.rows(hidden.size(0) - 1, hidden.size(0)));
  }

  models::Gpt& network_;
  infer::KvCache cache_;
  std::vector<data::TokenId> prompt_;
  std::optional<int64_t> slot_;
};

}  // namespace

void LanguagePipeline::write_compressed(const RunDirectory& made, const infer::LanguageModel& model, const Compression& found) const {
  made.start_fresh();
  Json info = directory_.info();
  for (const char* key : {"gates", "error", "finished", "peak_memory_bytes"}) info.erase(key);
  info.update({{"name", made.name()}, {"status", "running"}, {"stage", "compress"}, {"started", now_text()}, {"compressed", {{"from", found.from}, {"to", found.to}}}});
  made.update(info);
  for (const char* name : {"data_report.json", "data_report.txt", "recipe.yaml"}) {
    if (fs::exists(directory_.file(name))) write_file_atomic(made.file(name), read_file(directory_.file(name)));
  }
  Recipe recipe = recipe_;
  recipe.name = made.name();
  recipe.compress = {};
  write_file_atomic(made.file("resolved.yaml"), recipe.render());
  LanguagePipeline(made, {}).link_tokens(directory_);
  Json training = model.config.value("danlu", Json::object()).value("training", Json::object());
  training["compressed"] = {{"from", found.from}, {"to", found.to}};
  training["weights_hash"] = weights_hash(*model.network);
  made.update({{"training", training}});
  infer::write_language_model(made.bundle(), model, training);
}

Compression LanguagePipeline::compress(const compress::Target& target, const CompressOptions& options, const RunDirectory& made) {
  if (!target.is_groups()) throw ConfigError(kWhere, fmt::format("--to: got {}; expected q8 or q4 for a language model", target.name()));
  if (options.epochs || options.scope != CompressOptions().scope) {
    throw ConfigError(kWhere, fmt::format("got --{}, which is for what learns again; {} rounds and does not train", options.epochs ? "epochs" : "scope", target.name()));
  }
  if (!has_held_out_text()) throw ConfigError(kWhere, fmt::format("{} has neither a test part nor a validation part; expected one to measure by what compression costs", directory_.path().string()));
  if (fs::absolute(made.path()).lexically_normal() == fs::absolute(directory_.path()).lexically_normal()) {
    throw ConfigError(kWhere, fmt::format("-o: got {}, the run itself; expected another directory", made.path().string()));
  }
  const std::shared_ptr before = infer::LanguageModel::load(directory_.bundle());
  if (!before->network->quantized_weights().empty()) {
    throw ConfigError(kWhere, fmt::format("{} is compressed already; compress the run that it was made of", directory_.name()));
  }
  const RunLock lock(made);
  if (observer().on_stage) observer().on_stage("compress");
  const int64_t context = before->network->options().context;
  if (context < 2) throw ConfigError(kWhere, fmt::format("{} has a context of {}; expected at least 2 tokens", directory_.path().string(), context));
  const int64_t length = std::min(context, kMostCalibrationTokens / kLeastCalibration);
  const Tensor windows = some_windows(windows_of(data::Part::train, length), std::min(options.calibration, kMostCalibrationTokens / length));
  if (windows.size(0) < kLeastCalibration) {
    throw ConfigError(kWhere, fmt::format("{}: got {} window{} of training text to calibrate by; expected at least {}: so few say little of others{}", target.name(), windows.size(0),
                                          windows.size(0) == 1 ? "" : "s", kLeastCalibration, options.calibration < kLeastCalibration ? "; raise --calibration" : ""));
  }
  Compression found{.from = directory_.name(), .to = target.name(), .tolerance = options.tolerance};
  found.settings = {{"calibration_windows", windows.size(0)}, {"calibration_tokens", windows.numel()}, {"group", kernels::kGroup}};
  const WeightFormat format = target.kind == compress::Target::Kind::q8 ? WeightFormat::q8 : WeightFormat::q4;
  {
    infer::LanguageModel small{made.name(), compress::quantize_gpt(*before->network, {.format = format}, windows), data::Tokenizer(before->tokenizer.model()), before->eos, before->config};
    write_compressed(made, small, found);
  }
  const std::shared_ptr after = infer::LanguageModel::load(made.bundle());
  const data::TokenDataset text = windows_of(measured_part(), context);
  found.metrics.push_back(compare_perplexity(score_text(*before, text), score_text(*after, text), recipe_.evaluate.report.bootstrap));
  found.deciding = {"perplexity"};
  found.bytes_before = static_cast<int64_t>(fs::file_size(directory_.bundle() / kWeights));
  found.bytes_after = static_cast<int64_t>(fs::file_size(made.bundle() / kWeights));
  Reader one(*before->network), other(*after->network);
  found.latencies.push_back(compare_latency("a token", [&] { one.go_on(); }, [&] { other.go_on(); }));
  found.latencies.push_back(compare_latency(fmt::format("a prompt of {} tokens", one.length()), [&] { one.read(); }, [&] { other.read(); }));
  write_json(made.bundle() / "compress.json", found.to_json());
  made.update({{"status", "trained"}, {"compressed", {{"from", found.from}, {"to", found.to}, {"worth", found.worth()}}}});
  return found;
}

}  // namespace danlu::app
