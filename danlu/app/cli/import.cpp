#include <algorithm>

#include "danlu/app/cli/verbs.h"
#include "danlu/app/recipe/run_directory.h"
#include "danlu/app/registry/recorder.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/version.h"
#include "danlu/infer/language_model.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.import";

class ImportVerb : public Verb {
 public:
  ImportVerb() : Verb("import", "make a run of a language model in a Hugging Face folder or a GGUF file") {}

  void declare(Arguments& arguments) override {
    arguments.word("model", model_, "a folder that transformers saved (config.json, safetensors, tokenizer.json), or a .gguf file");
    arguments.option("--name", name_, "of the run; default: that of the folder or file");
    arguments.examples("danlu import /models/Qwen3-0.6B --name qwen\ndanlu import qwen3-0.6b-q8_0.gguf\ndanlu generate qwen --prompt \"The furnace\"\ndanlu serve qwen");
  }

  int run(const Context& context) override {
    const std::string started = now_text();
    const auto model = infer::LanguageModel::load(model_);  // before anything is written
    if (!name_.empty()) model->name = name_;
    check_name(model->name);

    RunRecorder recorder(context.runs, context.registry);
    const RunDirectory run(context.runs / model->name);
    const RunLock lock(run);
    run.start_fresh();
    const std::string source = fs::weakly_canonical(model_).string();
    run.update({{"name", model->name}, {"status", "running"}, {"stage", "import"}, {"started", started}, {"danlu", version()},
                {"imported_from", source}, {"model", model->network->describe()}, {"parameters", model->network->num_parameters()}});
    infer::write_language_model(run.bundle(), *model, {{"danlu", version()}, {"imported_from", fs::path(source).filename().string()}});
    run.update({{"status", "finished"}, {"finished", now_text()}});
    recorder.changed(run);
    context.console.note(
        fmt::format("{}: {}, {} parameters; next: danlu generate {}\n", run.path().string(), model->network->describe(),
                    model->network->num_parameters(), model->name),
        {{"event", "imported"}, {"run", run.path().string()}, {"parameters", model->network->num_parameters()}});
    return kOk;
  }

 private:
  // It becomes a directory and a word in requests, as the name of a recipe does.
  static void check_name(const std::string& name) {
    const bool plain = std::none_of(name.begin(), name.end(), [](unsigned char c) { return c == '/' || c <= ' ' || c == 127; });
    if (name.empty() || name[0] == '.' || !plain) {
      throw ConfigError(kWhere, fmt::format("--name: got {}; expected a word without slashes and spaces: it names the run directory", to_line(name)));
    }
  }

  std::string model_, name_;
};

}  // namespace

std::unique_ptr<Verb> make_import_verb() { return std::make_unique<ImportVerb>(); }

}  // namespace danlu::app
