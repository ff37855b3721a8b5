#include "danlu/app/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>

#include "danlu/app/cli/verbs.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/version.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "command line";

// What every verb takes besides its own.
struct CommonArguments {
  std::string runs = "runs";
  std::string registry;
  std::string log = "text";
  std::string threads = "0";
  bool quiet = false;

  LogForm form() const { return quiet ? LogForm::quiet : log == "json" ? LogForm::json : LogForm::text; }
};

class Cli11Arguments : public Arguments {
 public:
  explicit Cli11Arguments(CLI::App& app) : app_(app) {}
  using Arguments::option;

  void word(const char* name, std::string& value, const char* help) override {
    app_.add_option(name, value, help)->required()->type_name("");
  }
  void optional_word(const char* name, std::string& value, const char* help) override {
    app_.add_option(name, value, help)->type_name("");
  }
  void words(const char* name, std::vector<std::string>& values, const char* help) override {
    app_.add_option(name, values, help)->type_name("");
  }
  void option(const char* names, const std::function<void(const std::string&)>& set, const std::string& help) override {
    app_.add_option_function<std::string>(names, set, help)->type_name("VALUE");
  }
  void options(const char* names, std::vector<std::string>& values, const char* help) override {
    app_.add_option(names, values, help)->allow_extra_args(false)->type_name("VALUE");
  }
  void flag(const char* names, bool& value, const char* help) override { app_.add_flag(names, value, help); }
  void examples(const char* text) override { app_.footer(text); }

 private:
  CLI::App& app_;
};

void declare_common(CLI::App& app, CommonArguments& common) {
  app.add_option("--runs", common.runs, "directory of the runs")->envname("DANLU_RUNS")->type_name("DIR");
  app.add_option("--registry", common.registry,
                 "where runs are registered: a SQLite file, or postgresql://USER@HOST/DATABASE; default: danlu.db among the runs")
      ->envname("DANLU_REGISTRY")
      ->type_name("PLACE");
  app.add_option("--log", common.log, "form of messages: text or json (a line each)")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORM");
  app.add_option("--threads", common.threads, "of the engine; default: all processors, or OMP_NUM_THREADS")
      ->check(CLI::Range(0, 4096))
      ->type_name("N");
  app.add_flag("-q,--quiet", common.quiet, "say nothing but warnings and errors");
}

int fail(const std::string& message, int code) {
  std::string line = message;
  for (char& c : line) c = c == '\n' || c == '\r' ? ' ' : c;
  std::fputs(fmt::format("danlu: {}\n", line).c_str(), stderr);
  return code;
}

// CLI11 would call an unknown verb an unexpected argument.
void check_verb(const std::string& word, const std::vector<std::unique_ptr<Verb>>& verbs) {
  if (word.starts_with("-")) return;
  std::vector<std::string> names;
  for (const auto& verb : verbs) names.emplace_back(verb->name());
  if (std::find(names.begin(), names.end(), word) != names.end()) return;
  throw ConfigError(kWhere, fmt::format("got verb \"{}\"; expected one of {}{}", word, fmt::join(names, ", "),
                                        did_you_mean(word, names)));
}

int run_checked(int argc, char** argv) {
  CLI::App app("Danlu: from raw data to a trained, measured and served model.", "danlu");
  app.set_version_flag("--version", fmt::format("danlu {} ({}, {})", version(), build_type(), compiler()));
  app.require_subcommand(0, 1);
  const std::vector<std::unique_ptr<Verb>> verbs = make_verbs();
  CommonArguments common;
  std::vector<CLI::App*> parsers;
  for (const auto& verb : verbs) {
    CLI::App* parser = app.add_subcommand(verb->name(), verb->help());
    Cli11Arguments arguments(*parser);
    verb->declare(arguments);
    declare_common(*parser, common);
    parsers.push_back(parser);
  }
  if (argc > 1) check_verb(argv[1], verbs);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error), kOk;  // help or the version, printed
    throw ConfigError(kWhere, fmt::format("{}; try danlu {}--help", error.what(),
                                          argc > 1 && argv[1][0] != '-' ? std::string(argv[1]) + " " : ""));
  }
  for (size_t i = 0; i < verbs.size(); ++i) {
    if (!parsers[i]->parsed()) continue;
    Console console(common.form());
    return verbs[i]->run({console, common.runs, common.registry, std::stoi(common.threads)});
  }
  std::fputs(app.help().c_str(), stdout);
  return kUsage;
}

}  // namespace

int run_command_line(int argc, char** argv) {
  try {
    return run_checked(argc, argv);
  } catch (const ConfigError& error) {
    return fail(error.what(), kUsage);
  } catch (const std::bad_alloc&) {
    return fail("[memory] there is not enough; take a smaller train.batch_size or a smaller model", kFailed);
  } catch (const std::exception& error) {
    return fail(error.what(), kFailed);
  }
}

}  // namespace danlu::app
