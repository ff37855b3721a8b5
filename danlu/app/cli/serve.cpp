#include <CLI/CLI.hpp>
#include <thread>

#include "danlu/app/cli/verbs.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/options.h"
#include "danlu/serve/server.h"

namespace danlu::app {

Verb add_serve(CLI::App& app) {
  auto common = add_common(app);
  auto words = std::make_shared<std::vector<std::string>>();
  auto port = std::make_shared<int64_t>(-1);
  auto host = std::make_shared<std::string>();
  app.add_option("runs", *words, "runs or bundles to serve, then key=value options of the server")->required()->type_name("RUN ... [KEY=VALUE ...]");
  app.add_option("--port", *port, "TCP port; 0 takes any free one (default 8080)")->envname("DANLU_PORT")->check(CLI::Range(0, 65535));
  app.add_option("--host", *host, "address to listen on (default 127.0.0.1)")->envname("DANLU_HOST");
  app.footer("Options of the server:\n" + help_options<serve::ServeOptions>() + "\ndanlu serve runs/medical runs/fashion --port 8080");
  return [=] {
    common->apply();
    Console console(common->form());
    Json json = Json::object();
    std::vector<std::string> runs;
    for (const std::string& word : *words) {
      const size_t equals = word.find('=');
      if (equals == std::string::npos) runs.push_back(word);
      else json[word.substr(0, equals)] = parse_yaml("value: " + word.substr(equals + 1), "command line").json["value"];
    }
    if (*port >= 0) json["port"] = *port;
    if (!host->empty()) json["host"] = *host;
    serve::ServeOptions options;
    read_options(json, options);
    serve::Server server(options);
    std::string names;
    for (const std::string& run : runs) {
      const fs::path in_runs = fs::path(common->runs) / run;
      infer::Predictor predictor(fs::exists(run) ? fs::path(run) : in_runs);
      const std::string name = predictor.name();
      names += (names.empty() ? "" : ", ") + name;
      server.add_model(name, std::move(predictor));
    }
    watch_signals();
    server.start();
    const std::string address = fmt::format("http://{}:{}", options.http.host, server.port());
    console.event({{"event", "serving"}, {"address", address}, {"models", names}});
    console.print(fmt::format("serving {} at {}   (Ctrl-C ends it)\n", names, address));
    while (!stop_requested().load()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    server.stop();
    return kOk;
  };
}

}  // namespace danlu::app
