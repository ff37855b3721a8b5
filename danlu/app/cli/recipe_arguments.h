// RECIPE [KEY=VALUE ...], or --data and --target in its place: what the verbs that begin a run take.
#pragma once

#include <string>
#include <vector>

#include "danlu/app/cli/verbs.h"
#include "danlu/app/recipe/pipeline.h"

namespace danlu::app {

class RecipeArguments {
 public:
  void declare(Arguments& arguments);
  // `more` are overrides besides those on the command line.
  Recipe load(const Context& context, const std::vector<std::string>& more = {}) const;
  // A new run of that recipe.
  std::unique_ptr<Pipeline> open(const Context& context) const;

 private:
  std::vector<std::string> words_;
  std::string data_, target_, name_;
};

// Says whether an evaluation kept the gates of its recipe; the exit code that follows.
int tell_gates(const Pipeline& pipeline, const Context& context);

// A run that is there, by name or path, to go on with.
std::unique_ptr<Pipeline> reopen_run(const std::string& name_or_path, const Context& context);

}  // namespace danlu::app
