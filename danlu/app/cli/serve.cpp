#include "danlu/serve/server.h"

#include "danlu/app/cli/find_bundle.h"
#include "danlu/app/cli/stop_signal.h"
#include "danlu/app/cli/verbs.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

class ServeVerb : public Verb {
 public:
  ServeVerb() : Verb("serve", "answer over HTTP") {}

  void declare(Arguments& arguments) override {
    arguments.words("runs", runs_, "runs or bundles, by name or path; NAME=RUN gives one another name");
    arguments.fields(options_, {"threads"});
    arguments.examples(
        "danlu serve medical fashion\n"
        "curl localhost:8080/v1/predict -H 'Content-Type: application/json' -d @runs/medical/example_request.json\n"
        "danlu serve poet chat=/models/Qwen3-0.6B\n"
        "curl localhost:8080/v1/completions -d '{\"model\": \"poet\", \"prompt\": \"The moon\", \"max_tokens\": 20}'");
  }

  int run(const Context& context) override {
    if (runs_.empty()) throw ConfigError("app.serve", "expected at least one run or bundle");
    options_.batch.threads = context.threads;
    serve::Server server(options_);
    for (const std::string& word : runs_) {
      const size_t equals = word.find('=');
      const std::string run = equals == std::string::npos ? word : word.substr(equals + 1);
      add_model(server, equals == std::string::npos ? "" : word.substr(0, equals), find_bundle(run, context.runs));
    }
    watch_stop_signals();
    server.start();  // says in the log where it listens
    wait_for_stop();
    server.stop();
    return kOk;
  }

 private:
  // Under its own name if `name` is empty.
  static void add_model(serve::Server& server, const std::string& name, const fs::path& bundle) {
    if (infer::is_language_model(bundle)) {
      std::shared_ptr<infer::LanguageModel> model = infer::LanguageModel::load(bundle);
      const std::string own_name = model->name;
      server.add_model(name.empty() ? own_name : name, std::move(model));
    } else if (infer::is_image_generator(bundle)) {
      auto model = std::make_unique<infer::ImageGenerator>(bundle);
      const std::string own_name = model->name();
      server.add_model(name.empty() ? own_name : name, std::move(model));
    } else if (infer::is_recommender(bundle)) {
      infer::Recommender recommender(bundle);
      const std::string own_name = recommender.name();
      server.add_model(name.empty() ? own_name : name, std::move(recommender));
    } else if (infer::is_forecaster(bundle)) {
      infer::Forecaster forecaster(bundle);
      const std::string own_name = forecaster.name();
      server.add_model(name.empty() ? own_name : name, std::move(forecaster));
    } else if (infer::is_answerer(bundle)) {
      infer::Answerer answerer(bundle);
      const std::string own_name = answerer.name();
      server.add_model(name.empty() ? own_name : name, std::move(answerer));
    } else {
      infer::Predictor predictor(bundle);
      const std::string own_name = predictor.name();
      server.add_model(name.empty() ? own_name : name, std::move(predictor));
    }
  }

  std::vector<std::string> runs_;
  serve::ServeOptions options_;
};

}  // namespace

std::unique_ptr<Verb> make_serve_verb() { return std::make_unique<ServeVerb>(); }

}  // namespace danlu::app
