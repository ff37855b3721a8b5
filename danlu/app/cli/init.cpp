#include "danlu/app/cli/verbs.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

constexpr const char* kRecipe = R"(# danlu run recipe.yaml         every option: danlu check --options
name: first
data:
  source: data/train.csv   # a table, or a directory with one directory of images for each class
  target: label            # the column to predict; not for images
)";

constexpr const char* kReadme = R"(# A danlu project

- `data/`        raw data; nothing here is changed
- `recipe.yaml`  what is learnt from what, and how
- `runs/`        one directory a run: decisions, checkpoints, report, bundle

    danlu check recipe.yaml
    danlu run recipe.yaml
    danlu serve first
)";

class InitVerb : public Verb {
 public:
  InitVerb() : Verb("init", "make a project directory with a recipe to start from") {}

  void declare(Arguments& arguments) override {
    arguments.optional_word("directory", directory_, "where; default: here");
  }

  int run(const Context& context) override {
    const fs::path root(directory_);
    for (const char* name : {"recipe.yaml", "README.md"}) {
      if (fs::exists(root / name)) {
        throw ConfigError("app.init",
                          fmt::format("{} is there already; expected a directory without one", (root / name).string()));
      }
    }
    make_directories(root / "data");
    write_file_atomic(root / "recipe.yaml", kRecipe);
    write_file_atomic(root / "README.md", kReadme);
    if (!fs::exists(root / ".gitignore")) write_file_atomic(root / ".gitignore", "runs/\ndata/\n");
    context.console.note(fmt::format("{}: put a table at data/train.csv, name its target, then danlu run recipe.yaml\n",
                                     (root / "recipe.yaml").string()),
                         {{"event", "made"}, {"recipe", (root / "recipe.yaml").string()}});
    return kOk;
  }

 private:
  std::string directory_ = ".";
};

}  // namespace

std::unique_ptr<Verb> make_init_verb() { return std::make_unique<InitVerb>(); }

}  // namespace danlu::app
