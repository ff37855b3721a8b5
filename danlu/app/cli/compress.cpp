#include "danlu/app/cli/recipe_arguments.h"
#include "danlu/app/recipe/compression.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/compress/target.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.compress";

// The run of a bundle: what it was trained and measured by stands there.
std::string run_of(const std::string& given) {
  const fs::path path = fs::path(given).lexically_normal();
  if (!fs::exists(path / "model.safetensors")) return given;
  const fs::path run = fs::absolute(path.has_filename() ? path : path.parent_path()).parent_path();
  if (RunDirectory(run).exists()) return run.string();
  throw ConfigError(kWhere, fmt::format("{} is a bundle without its run; expected the run: its training samples are calibrated by, its test split is measured by", given));
}

// "." and "runs/small/" have a last name too.
fs::path directory_of(const std::string& given) {
  const fs::path path = fs::absolute(given).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

class CompressVerb : public Verb {
 public:
  CompressVerb() : Verb("compress", "make a run's model smaller or faster, and measure what that costs") {}

  void declare(Arguments& arguments) override {
    arguments.word("run", run_, "a finished run, by name or path, or its bundle");
    arguments.option("--to", to_, "int8, sparse=SHARE, N:M like 2:4, channels=SHARE; q8 or q4 for a language model: docs/howto/compress.md");
    arguments.option("-o,--output", output_, "directory of the run that is made; default: beside the other, NAME-int8");
    arguments.fields(options_);
    arguments.examples("danlu compress fashion --to int8\ndanlu compress fashion --to sparse=0.9 --epochs 4\ndanlu compress fashion --to 2:4\ndanlu compress fashion --to channels=0.5 -o runs/fashion-small\ndanlu compress prose --to q4 --tolerance 2");
  }

  int run(const Context& context) override {
    if (to_.empty()) throw ConfigError("command line", "expected --to int8, sparse=SHARE, N:M, channels=SHARE, q8 or q4");
    const compress::Target target = compress::parse_target(to_);
    const std::unique_ptr<Pipeline> pipeline = reopen_run(run_of(run_), context);
    const RunDirectory& from = pipeline->directory();
    if (!fs::exists(from.bundle() / "config.json")) {
      throw ConfigError(kWhere, fmt::format("{0} has no bundle yet; finish it first: danlu evaluate {0}", from.path().string()));
    }
    const RunDirectory made = output_.empty() ? pipeline->smaller_directory(target) : RunDirectory(directory_of(output_));
    const Compression found = pipeline->compress(target, options_, made);
    // The whole report, by the way that any run has.
    const std::unique_ptr<Pipeline> smaller = reopen_pipeline(made, context.observer());
    smaller->evaluate();
    context.console.result(found.text(), found.to_json());
    const int gates = tell_gates(*smaller, context);
    return found.worth() ? gates : kBelowGates;
  }

 private:
  std::string run_, to_, output_;
  CompressOptions options_;
};

}  // namespace

std::unique_ptr<Verb> make_compress_verb() { return std::make_unique<CompressVerb>(); }

}  // namespace danlu::app
