#include <CLI/CLI.hpp>

#include "danlu/app/cli/verbs.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::app {
namespace {

constexpr const char* kRecipe = R"(# Run it with: danlu run recipe.yaml        All options: danlu check --options
name: first
data:
  source: data/train.csv   # a table, or a directory with one directory of images a class
  target: label            # the column to predict; not for images
train:
  epochs: 50
  early_stop: 10
)";

constexpr const char* kReadme = R"(# A danlu project

- `data/`        raw data; nothing here is changed
- `recipe.yaml`  what is learnt from what, and how
- `runs/`        one directory a run: decisions, checkpoints, report, bundle

    danlu check recipe.yaml
    danlu run recipe.yaml
    danlu serve runs/first
)";

}  // namespace

Verb add_init(CLI::App& app) {
  auto common = add_common(app);
  auto directory = std::make_shared<std::string>(".");
  app.add_option("directory", *directory, "where to make it")->capture_default_str();
  return [=] {
    Console console(common->form());
    const fs::path root(*directory);
    for (const char* name : {"recipe.yaml", "README.md"}) {
      if (fs::exists(root / name)) throw ConfigError("app.init", fmt::format("{} is there already; expected a directory without one", (root / name).string()));
    }
    make_directories(root / "data");
    write_file_atomic(root / "recipe.yaml", kRecipe);
    write_file_atomic(root / "README.md", kReadme);
    if (!fs::exists(root / ".gitignore")) write_file_atomic(root / ".gitignore", "runs/\ndata/\n");
    console.print(fmt::format("made {}\nnext: put a table at {}, set data.target, then danlu run recipe.yaml\n", (root / "recipe.yaml").string(), (root / "data/train.csv").string()));
    return kOk;
  };
}

}  // namespace danlu::app
