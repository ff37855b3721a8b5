// The verbs of the program, one file each. An add_ function declares the verb's arguments on `app`; what it returns does the
// work when the verb was given, and gives the exit code.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "danlu/app/cli/console.h"
#include "danlu/base/files.h"

namespace CLI {
class App;
}

namespace danlu::app {

// Exit codes of the program.
constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

// What every verb shares: where runs are kept and how to speak.
struct CommonArguments {
  std::string runs = "runs";
  std::string log = "text";
  bool quiet = false;
  int threads = 0;

  LogForm form() const { return quiet ? LogForm::quiet : log == "json" ? LogForm::json : LogForm::text; }
  void apply() const;  // the number of threads
};
std::shared_ptr<CommonArguments> add_common(CLI::App& app);

using Verb = std::function<int()>;

Verb add_run(CLI::App& app);
Verb add_check(CLI::App& app);
Verb add_prepare(CLI::App& app);
Verb add_train(CLI::App& app);
Verb add_evaluate(CLI::App& app);
Verb add_predict(CLI::App& app);
Verb add_serve(CLI::App& app);
Verb add_runs(CLI::App& app);
Verb add_doctor(CLI::App& app);
Verb add_init(CLI::App& app);

// A recipe file with overrides, or --data and --target, as several verbs take them.
struct RecipeArguments {
  std::vector<std::string> words;  // the recipe and key=value overrides
  std::string data, target, name;
  Recipe load() const;
};
std::shared_ptr<RecipeArguments> add_recipe_arguments(CLI::App& app);

}  // namespace danlu::app
