#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>

#include "danlu/app/cli/find_bundle.h"
#include "danlu/app/cli/stop_signal.h"
#include "danlu/app/cli/text_argument.h"
#include "danlu/app/cli/verbs.h"
#include "danlu/base/error.h"
#include "danlu/base/files.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"
#include "danlu/base/timer.h"
#include "danlu/data/image/decode.h"
#include "danlu/data/image/grid.h"
#include "danlu/data/text/tokenizer_model.h"
#include "danlu/infer/generator.h"
#include "danlu/infer/image_generator.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.generate";

const char* word_of(infer::FinishReason reason) {
  switch (reason) {
    case infer::FinishReason::stop: return "stop";
    case infer::FinishReason::length: return "length";
    default: return "cancelled";
  }
}

class GenerateVerb : public Verb {
 public:
  GenerateVerb() : Verb("generate", "let a language model go on with a text, or a GAN make images") {}

  void declare(Arguments& arguments) override {
    arguments.word("run", run_, "a run, by name or path, or a bundle");
    arguments.option("-p,--prompt", prompt_, "the text to go on with; - reads it from standard input; default: the beginning of a text");
    arguments.fields(length_);
    arguments.options("--stop", request_.stop, "end before this text; may be given several times");
    arguments.fields(request_.sampling);
    arguments.fields(decoding_);
    arguments.fields(pictures_);
    arguments.flag("--json", json_, "print a line of JSON: text, finish_reason, numbers of tokens, seconds");
    arguments.flag("--stream", stream_, "with --json: a line for each piece of text before it (without, text is printed as it arises)");
    arguments.examples("danlu generate poet --prompt 春 --max-tokens 64 --temperature 0.8\n"
                       "echo 'Once upon a time' | danlu generate tales --prompt - --seed 1 --json\n"
                       "danlu generate fashion-gan --count 64 --out grid.png --seed 1\n"
                       "danlu generate clothes --class dress --count 8 --out dresses/");
  }

  int run(const Context& context) override {
    if (context.threads > 0) set_num_threads(context.threads);
    json_ = json_ || context.console.form() == LogForm::json;
    const fs::path bundle = find_bundle(run_, context.runs);
    if (infer::is_image_generator(bundle)) return make_pictures(infer::ImageGenerator(bundle));
    infer::Generator generator(infer::LanguageModel::load(bundle), {.max_sequences = 1, .decoding = decoding_});
    request_.prompt = encode_prompt(generator.model());
    request_.max_tokens = length_.max_tokens;

    watch_stop_signals();
    const auto ended = std::make_shared<std::promise<infer::GenerationEvent>>();
    std::future<infer::GenerationEvent> last = ended->get_future();
    const Timer timer;
    const auto id = generator.submit(request_, [this, ended](const infer::GenerationEvent& event) {
      show(event);
      if (event.finish != infer::FinishReason::none) ended->set_value(event);
      return true;
    });
    while (last.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {
      if (stop_requested() || !written_) generator.cancel(id);
    }
    return report(last.get(), timer.seconds());
  }

 private:
  struct Length {
    int64_t max_tokens = 256;
    void describe(OptionVisitor& v) { v.field("max_tokens", max_tokens, {0, 1e9}, "tokens that the answer may have"); }
  };

  struct Pictures {
    int64_t count = 64;
    std::string class_name;
    std::string out = "images.png";
    void describe(OptionVisitor& v) {
      v.field("count", count, {1, 1e6}, "images of a GAN");
      v.field("class", class_name, "of a conditional GAN: what they are to show; default: each class in turn, a row for each in a grid");
      v.field("out", out, "where they go: a PNG file for a grid of them, or a directory for a file each");
    }
  };

  int make_pictures(const infer::ImageGenerator& generator) const {
    constexpr int64_t kColumns = 8;
    const uint64_t seed = request_.sampling.seed.value_or(1);
    const Timer timer;
    std::optional<int64_t> label;
    if (!pictures_.class_name.empty()) label = generator.label_of(pictures_.class_name);
    const std::vector<data::Image> images = generator.generate(pictures_.count, seed, label);
    const double seconds = timer.seconds();
    if (fs::path(pictures_.out).extension() == ".png") {
      const int64_t classes = label ? 0 : std::ssize(generator.class_names());
      write_file_atomic(pictures_.out, data::encode_png(classes > 0 ? data::image_rows(images, classes) : data::image_grid(images, kColumns)));
    } else {
      make_directories(pictures_.out);
      for (size_t i = 0; i < images.size(); ++i) write_file_atomic(fs::path(pictures_.out) / fmt::format("{:06}.png", i), data::encode_png(images[i]));
    }
    const std::string line = json_ ? to_line({{"event", "answer"}, {"images", images.size()}, {"seed", seed}, {"out", pictures_.out}, {"seconds", seconds}})
                                   : fmt::format("{} images of seed {}: {}", images.size(), seed, pictures_.out);
    if (std::printf("%s\n", line.c_str()) < 0) throw FileError(kWhere, "cannot write to standard output");
    return kOk;
  }

  std::vector<data::TokenId> encode_prompt(const infer::LanguageModel& model) const {
    std::string text = read_text_argument(prompt_);
    if (prompt_ == "-" && text.ends_with('\n')) text.pop_back();  // the end of the line, not of the prompt
    const data::Tokenizer& tokenizer = model.tokenizer;
    std::vector<data::TokenId> ids;
    const auto beginning = tokenizer.bos() ? tokenizer.bos() : tokenizer.eos();
    if (beginning && (text.empty() || tokenizer.model().add_bos)) ids.push_back(*beginning);
    tokenizer.encode(text, ids);
    if (ids.empty()) throw ConfigError(kWhere, "--prompt: got no text; expected some: this model has no token that begins a text");
    return ids;
  }

  // On the generator's thread, as are text_ and tokens_ until the last event.
  void show(const infer::GenerationEvent& event) {
    text_ += event.text;
    tokens_ += static_cast<int64_t>(event.tokens.size());
    if (event.text.empty()) return;
    if (!json_) write(event.text);
    if (json_ && stream_) write(to_line({{"event", "text"}, {"text", event.text}}) + "\n");
  }

  void write(const std::string& text) {
    if (std::fputs(text.c_str(), stdout) == EOF || std::fflush(stdout) != 0) written_ = false;
  }

  int report(const infer::GenerationEvent& last, double seconds) {
    if (!json_) write("\n");
    if (json_) {
      write(to_line({{"event", "answer"},
                     {"text", text_},
                     {"finish_reason", word_of(last.finish)},
                     {"prompt_tokens", request_.prompt.size()},
                     {"completion_tokens", tokens_},
                     {"seconds", seconds},
                     {"tokens_per_second", static_cast<double>(tokens_) / seconds}}) +
            "\n");
    }
    if (!written_) throw FileError(kWhere, "cannot write to standard output");
    if (!last.error.empty()) throw Error(kWhere, last.error);
    return last.finish == infer::FinishReason::cancelled ? kFailed : kOk;
  }

  std::string run_, prompt_;
  infer::GenerationRequest request_;
  Length length_;
  infer::DecodingOptions decoding_;
  Pictures pictures_;
  bool json_ = false, stream_ = false;
  std::string text_;
  int64_t tokens_ = 0;
  std::atomic<bool> written_{true};
};

}  // namespace

std::unique_ptr<Verb> make_generate_verb() { return std::make_unique<GenerateVerb>(); }

}  // namespace danlu::app
