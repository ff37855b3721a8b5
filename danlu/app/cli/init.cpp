#include "danlu/app/cli/verbs.h"
#include "danlu/app/init/trade.h"
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
  InitVerb() : Verb("init", "make a project directory with a recipe to start from, for a trade if there is one for it") {}

  void declare(Arguments& arguments) override {
    arguments.optional_word("trade", first_, "one that danlu init lists; anything else is a directory, for a recipe of no trade");
    arguments.optional_word("directory", second_, "where; default: a directory of the trade's name, or here");
    arguments.examples("danlu init\ndanlu init my-project\ndanlu init credit\ndanlu init text-classification mail");
  }

  int run(const Context& context) override {
    const Trade* trade = named_trade();
    const fs::path root = trade == nullptr ? (first_.empty() ? "." : first_) : (second_.empty() ? trade->name : second_);
    const std::string recipe = trade == nullptr ? kRecipe : trade_recipe(*trade), readme = trade == nullptr ? kReadme : trade_readme(*trade);
    for (const char* name : {"recipe.yaml", "README.md"}) {
      if (fs::exists(root / name)) {
        throw ConfigError("app.init",
                          fmt::format("{} is there already; expected a directory without one", (root / name).string()));
      }
    }
    make_directories(root / "data");
    write_file_atomic(root / "recipe.yaml", recipe);
    write_file_atomic(root / "README.md", readme);
    if (!fs::exists(root / ".gitignore")) write_file_atomic(root / ".gitignore", "runs/\ndata/\n");
    std::string next = trade == nullptr ? "put a table at data/train.csv, name its target, then danlu run recipe.yaml\n"
                                        : fmt::format("put your data at {}, see README.md, then danlu run recipe.yaml\n", trade->source);
    if (trade == nullptr) {
      next += "recipes for a trade: danlu init TRADE\n";
      for (const Trade& one : trades()) next += fmt::format("  {:<22} {}\n", one.name, one.help);
    }
    context.console.note(fmt::format("{}: {}", (root / "recipe.yaml").string(), next), {{"event", "made"}, {"recipe", (root / "recipe.yaml").string()}});
    return kOk;
  }

 private:
  // Null for a directory alone. One word that is nearly a trade is taken for it, misspelt.
  const Trade* named_trade() const {
    if (first_.empty()) return nullptr;
    std::vector<std::string> names;
    for (const Trade& trade : trades()) {
      if (first_ == trade.name) return &trade;
      names.emplace_back(trade.name);
    }
    if (second_.empty() && did_you_mean(first_, names).empty()) return nullptr;
    return &find_trade(first_);  // throws
  }

  std::string first_, second_;
};

}  // namespace

std::unique_ptr<Verb> make_init_verb() { return std::make_unique<InitVerb>(); }

}  // namespace danlu::app
