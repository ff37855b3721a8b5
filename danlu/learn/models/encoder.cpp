#include "danlu/learn/models/encoder.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/learn/models/text_encoder.h"
#include "danlu/learn/nn/layers.h"
#include "danlu/learn/nn/sequence.h"

namespace danlu::models {
namespace {

constexpr const char* kWhere = "learn.encoder";

class EncoderModel : public TextEncoder {
 public:
  EncoderModel(const EncoderOptions& options, int64_t length, int64_t outputs)
      : TextEncoder(options, length), head_(add("head", nn::Linear(options.width, outputs, true, nn::Init::xavier))) {}

  Tensor forward(const Tensor& ids) override {
    const Hidden hidden = encode(ids);
    return (*head_)(drop(nn::mean_between(hidden.x, hidden.begin, hidden.end)));
  }
  std::string describe() const override { return fmt::format("Encoder({})", sizes()); }

 private:
  std::shared_ptr<nn::Linear> head_;
};

}  // namespace

void EncoderOptions::describe(OptionVisitor& v) {
  v.field("vocab_size", vocab_size, {0, 1e8}, "rows of the embedding; 0: the tokeniser's");
  v.field("layers", layers, {1, 1000}, "blocks of attention and feed-forward");
  v.field("heads", heads, {1, 4096}, "attention heads");
  v.field("width", width, {1, 1e6}, "channels");
  v.field("hidden", hidden, {0, 1e7}, "channels of the feed-forward layer; 0: 4 width");
  v.field("head_dim", head_dim, {0, 1e6}, "channels of a head; 0: width / heads");
  v.field("dropout", dropout, {0, 0.99}, "fraction dropped of the embedding and of each branch in training");
}

void check_encoder(const EncoderOptions& o, const Locate& locate, const std::string& prefix) {
  if (o.head_dim > 0 || o.width % o.heads == 0) return;
  const std::string path = prefix.empty() ? "heads" : prefix + ".heads", place = locate ? locate(path) : "";
  throw ConfigError(kWhere, fmt::format("{}{}{}: got {} for a width of {}; expected a divisor of it, or a head_dim", place, place.empty() ? "" : ": ", path, o.heads, o.width));
}

void require_text(const EncoderOptions& options, const Shape& input) {
  if (input.rank() != 1) throw ConfigError(kWhere, fmt::format("got samples of shape {}; expected (T) tokens: this model reads text", input.str()));
  if (options.vocab_size < 2) {
    throw ConfigError(kWhere, fmt::format("model.vocab_size: got {}; expected the tokens of a text and padding: this model reads text, set data.text.column",
                                          options.vocab_size));
  }
}

std::unique_ptr<nn::Module> make_encoder(const EncoderOptions& options, const Shape& input, int64_t outputs) {
  check_encoder(options);
  require_text(options, input);
  return std::make_unique<EncoderModel>(options, input[0], outputs);
}

}  // namespace danlu::models
