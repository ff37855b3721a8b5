#include "danlu/app/cli/recipe_arguments.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

class PrepareVerb : public Verb {
 public:
  PrepareVerb() : Verb("prepare", "read the data: report, split, fitted transforms") {}

  void declare(Arguments& arguments) override {
    recipe_.declare(arguments);
    arguments.examples("danlu prepare recipes/medical.yaml");
  }

  int run(const Context& context) override {
    const std::unique_ptr<Pipeline> pipeline = recipe_.open(context);
    pipeline->prepare();
    const std::string path = pipeline->directory().path().string();
    context.console.note(fmt::format("{0}: danlu train {0}\n", path), {{"event", "prepared"}, {"run", path}});
    return kOk;
  }

 private:
  RecipeArguments recipe_;
};

}  // namespace

std::unique_ptr<Verb> make_prepare_verb() { return std::make_unique<PrepareVerb>(); }

}  // namespace danlu::app
