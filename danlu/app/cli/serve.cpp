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
        "curl localhost:8080/v1/predict -H 'Content-Type: application/json' -d @runs/medical/example_request.json");
  }

  int run(const Context& context) override {
    if (runs_.empty()) throw ConfigError("app.serve", "expected at least one run or bundle");
    options_.batch.threads = context.threads;
    serve::Server server(options_);
    for (const std::string& word : runs_) {
      const size_t equals = word.find('=');
      const std::string run = equals == std::string::npos ? word : word.substr(equals + 1);
      infer::Predictor predictor(find_bundle(run, context.runs));
      const std::string name = equals == std::string::npos ? predictor.name() : word.substr(0, equals);
      server.add_model(name, std::move(predictor));
    }
    watch_stop_signals();
    server.start();  // says in the log where it listens
    wait_for_stop();
    server.stop();
    return kOk;
  }

 private:
  std::vector<std::string> runs_;
  serve::ServeOptions options_;
};

}  // namespace

std::unique_ptr<Verb> make_serve_verb() { return std::make_unique<ServeVerb>(); }

}  // namespace danlu::app
