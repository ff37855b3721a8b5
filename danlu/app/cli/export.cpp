#include "danlu/app/cli/find_bundle.h"
#include "danlu/app/cli/verbs.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/infer/gguf_language_model.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.export";

class ExportVerb : public Verb {
 public:
  ExportVerb() : Verb("export", "write a language model as one file that other programs run: GGUF") {}

  void declare(Arguments& arguments) override {
    arguments.word("run", run_, "a run, by name or path, a bundle, or a .gguf file");
    arguments.fields(options_);
    arguments.option("-o,--out", out_, "the file; default: NAME-TYPE.gguf");
    arguments.examples("danlu export poet --to gguf\n"
                       "danlu export qwen --to gguf --type q8_0 -o qwen.gguf\n"
                       "llama-cli -m qwen.gguf -p \"The furnace\"");
  }

  int run(const Context& context) override {
    const fs::path bundle = find_bundle(run_, context.runs);
    if (!infer::is_language_model(bundle)) {
      throw ConfigError(kWhere, fmt::format("got {}, which is no language model; expected one: GGUF files hold nothing else", run_));
    }
    const auto model = infer::LanguageModel::load(bundle);
    const fs::path path = out_.empty() ? fs::path(fmt::format("{}-{}.gguf", model->name, options_.type)) : fs::path(out_);
    const infer::GgufExport written = infer::write_gguf_language_model(path, *model, *formats::find_block_type(std::string_view(options_.type)));
    for (const std::string& note : written.notes) context.console.warn(kWhere, note);
    context.console.result(
        fmt::format("{}: {}, {} as {}, {:.1f} MB; read again, weights differ by at most {:.3g}\n", path.string(), model->network->describe(),
                    model->network->num_parameters(), options_.type, static_cast<double>(written.bytes) / 1e6, written.largest_error),
        {{"event", "exported"}, {"file", path.string()}, {"type", options_.type}, {"parameters", model->network->num_parameters()},
         {"bytes", written.bytes}, {"largest_error", written.largest_error}, {"notes", written.notes}});
    return kOk;
  }

 private:
  struct Options {
    std::string to = "gguf", type = "f32";
    void describe(OptionVisitor& v) {
      v.choice("to", to, {"gguf"}, "the format");
      v.choice("type", type, {"f32", "f16", "bf16", "q8_0", "q4_0"}, "of the matrices: f32 as they are; f16 and bf16 half, q8_0 a quarter and q4_0 an eighth of it, rounded");
    }
  };

  std::string run_, out_;
  Options options_;
};

}  // namespace

std::unique_ptr<Verb> make_export_verb() { return std::make_unique<ExportVerb>(); }

}  // namespace danlu::app
