// The program: danlu VERB ...
#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>

#include "danlu/app/cli/verbs.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/version.h"

namespace danlu::app {
namespace {

struct Entry {
  const char* name;
  const char* help;
  Verb (*add)(CLI::App&);
};

constexpr Entry kVerbs[] = {{"run", "prepare, train, evaluate and bundle: the main job", add_run},
                            {"init", "make a project directory with a recipe to start from", add_init},
                            {"check", "check a recipe and say what it would do", add_check},
                            {"prepare", "read the data: report, split, fitted transforms", add_prepare},
                            {"train", "train a prepared run", add_train},
                            {"evaluate", "measure a run on its test split", add_evaluate},
                            {"predict", "answer for files, as the server would", add_predict},
                            {"serve", "answer over HTTP", add_serve},
                            {"runs", "list, show, compare and remove runs", add_runs},
                            {"doctor", "what this machine can do, and which code paths are chosen", add_doctor}};

int fail(const std::string& message) {
  std::fputs(fmt::format("danlu: {}\n", message).c_str(), stderr);
  return kFailed;
}

int main_checked(int argc, char** argv) {
  CLI::App app("Danlu: from raw data to a trained, measured and served model.", "danlu");
  app.set_version_flag("--version", fmt::format("danlu {} ({}, {})", version(), build_type(), compiler()));
  app.require_subcommand(1);
  std::vector<std::pair<CLI::App*, Verb>> verbs;
  for (const Entry& entry : kVerbs) {
    CLI::App* sub = app.add_subcommand(entry.name, entry.help);
    verbs.emplace_back(sub, entry.add(*sub));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);  // prints help, the version, or what is wrong
    return code == 0 ? kOk : kUsage;
  }
  for (auto& [sub, verb] : verbs) {
    if (sub->parsed()) return verb();
  }
  return kUsage;
}

}  // namespace
}  // namespace danlu::app

int main(int argc, char** argv) {
  using namespace danlu;
  try {
    return app::main_checked(argc, argv);
  } catch (const ConfigError& error) {
    app::fail(error.what());
    return app::kUsage;
  } catch (const std::bad_alloc&) {
    return app::fail("out of memory; take a smaller batch_size or a smaller model");
  } catch (const std::exception& error) {
    return app::fail(error.what());
  }
}
