#include "danlu/app/init/trade.h"

#include <algorithm>
#include <vector>

#include "danlu/app/init/embedded_recipes.h"
#include "danlu/app/recipe/yaml.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/options.h"

namespace danlu::app {
namespace {

constexpr const char* kTable = "data/train.csv";
constexpr const char* kImages = "data";

constexpr Trade kTrades[] = {
    {"medical", "medical", "tells a diagnosis from measurements of a patient", kTable, "A row a patient: a column for each measurement, and the column of the diagnosis.",
     "Not a medical device. It supports a physician's judgement and does not replace it."},
    {"credit", "credit", "tells the risk of a loan, with the reasons of each decision", kTable,
     "A row a customer: a column for each fact, and the column of what became of the loan.", "Nobody's credit may be decided by it alone."},
    {"recommendation", "movielens", "tells what a user will like next", kTable,
     "A row a rating: the columns user and item, and those that recipe.yaml names under interactions; take out the names of those that you have not.", ""},
    {"forecast", "co2", "foretells a series of numbers", kTable,
     "A row a time: the column of the times and that of the values, as recipe.yaml names them under series, which also says how far to look ahead.", ""},
    {"customer-service", "faq", "answers questions from a FAQ and hands over to a person what it is not sure of", kTable,
     "A row a question: the columns question and answer, and url if answers stand somewhere. Several rows with one answer are several ways to ask for it. Questions that have no answer there, "
     "in a file data/off_topic.csv with a column question, teach it when to hand over: take out off_topic if you have none.", ""},
    {"text-classification", "sections", "sorts texts into classes", kTable, "A row a text: the column of the text and the column of its class, as named in recipe.yaml.", ""},
    {"sentiment", "reviews", "tells how content the writer of a review or a letter is", kTable,
     "A row a text: the column of the text and the column of what it was, as named in recipe.yaml.", "Read from words alone: a person decides what is answered."},
    {"image-classification", "fashion", "tells what an image shows", kImages, "A directory for each class, with the PNG or JPEG files of that class in it: data/cat/1.png.", ""},
    {"image-generation", "fashion-gan", "makes images like those it has seen", kImages, "PNG or JPEG files, in directories or not.", ""},
};

const EmbeddedRecipe* embedded(const Trade& trade) {
  for (const EmbeddedRecipe& recipe : embedded_recipes()) {
    if (recipe.name == trade.recipe) return &recipe;
  }
  return nullptr;
}

// What belongs to the recipe's own data and not to the user's.
void turn_to_own_data(Json& data, const Trade& trade) {
  const bool images = trade.source == std::string_view(kImages);
  data["source"] = trade.source;
  if (const auto names = data.find("class_names"); names != data.end()) {
    data["classes"] = *names;  // the user's file has the words themselves
    data.erase("class_names");
  }
  if (images) data.erase("classes");  // its directories
  if (const auto faq = data.find("faq"); faq != data.end()) (*faq)["off_topic"] = "data/off_topic.csv";
  for (const char* key : {"csv", "columns", "licence"}) data.erase(key);
  if (const auto split = data.find("split"); split != data.end()) split->erase("column");
}

std::map<std::string, std::string> comments_for(const Json& data) {
  std::map<std::string, std::string> comments;
  if (data.contains("target")) comments["data.target"] = "the column to predict";
  if (data.contains("classes")) comments["data.classes"] = "its values in your file; the last is the one that is asked for";
  if (data.contains("series")) comments["data.series"] = "the columns of the times and the values; horizon and lags count periods";
  if (const auto text = data.find("text"); text != data.end() && text->contains("column")) comments["data.text"] = "the column of the text";
  return comments;
}

}  // namespace

std::span<const Trade> trades() {
  static const std::vector<Trade> present = [] {
    std::vector<Trade> found;
    for (const Trade& trade : kTrades) {
      if (embedded(trade) != nullptr) found.push_back(trade);
    }
    return found;
  }();
  return present;
}

const Trade& find_trade(const std::string& name) {
  std::vector<std::string> names;
  for (const Trade& trade : trades()) {
    if (name == trade.name) return trade;
    names.emplace_back(trade.name);
  }
  throw ConfigError("app.init", fmt::format("got the trade \"{}\"; expected one of {}{}", name, fmt::join(names, ", "), did_you_mean(name, names)));
}

std::string trade_recipe(const Trade& trade) {
  const EmbeddedRecipe& original = *embedded(trade);
  Json recipe = parse_yaml(original.text, fmt::format("recipes/{}.yaml", trade.recipe)).json;
  recipe["name"] = trade.name;
  turn_to_own_data(recipe["data"], trade);
  for (const char* key : {"tune", "notice", "purpose"}) recipe.erase(key);
  if (*trade.notice != 0) recipe["notice"] = trade.notice;
  if (const auto evaluate = recipe.find("evaluate"); evaluate != recipe.end()) {
    for (const char* key : {"gates", "demographic"}) evaluate->erase(key);  // bounds and columns of the recipe's own data
    if (evaluate->empty()) recipe.erase("evaluate");
  }
  return fmt::format("# {}: {}\n# Made from recipes/{}.yaml of danlu, which was measured on public data; every option: danlu check --options\n", trade.name, trade.help, trade.recipe) +
         to_yaml(recipe, comments_for(recipe["data"]));
}

std::string trade_readme(const Trade& trade) {
  const std::string name = trade.name;
  const Json recipe = parse_yaml(embedded(trade)->text, fmt::format("recipes/{}.yaml", trade.recipe)).json;
  return fmt::format(
      "# {0}\n\nA model that {1}.\n\n"
      "1. Put your data at `{2}`. {3}\n"
      "2. Look at the names in `recipe.yaml`: columns and classes are those of the data that the recipe was made for.\n"
      "3. `danlu check recipe.yaml` reads the data and says what it found, before anything is trained.\n"
      "4. `danlu run recipe.yaml` trains, measures and bundles; open `runs/{0}/report.html`. `runs/{0}/bundle/card.md` is the model card.\n"
      "5. `danlu serve {0}` answers over HTTP; `runs/{0}/example_request.json` is a question to try.\n\n"
      "A bound that the model has to keep, or the run fails: `evaluate: {{gates: {{METRIC: BOUND}}}}` in `recipe.yaml`.\n{4}",
      name, trade.help, trade.source, trade.data,
      !recipe["data"].contains("target") ? "" : fmt::format("\nWhy it answers as it does: `danlu explain {}`, for each row of a file `danlu explain {} FILE`.\n", name, name));
}

}  // namespace danlu::app
