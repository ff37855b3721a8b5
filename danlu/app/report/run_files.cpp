#include "danlu/app/report/run_files.h"

#include <limits>
#include <sstream>

#include "danlu/app/recipe/yaml.h"

namespace danlu::app {
namespace {

std::string text_of(const fs::path& path) { return fs::exists(path) ? read_file(path) : std::string(); }

Json json_of(const fs::path& path) { return fs::exists(path) ? read_json(path) : Json::object(); }

// A line that was cut off by a crash is left out.
std::vector<Json> lines_of(const fs::path& path) {
  std::vector<Json> all;
  std::istringstream lines(text_of(path));
  for (std::string line; std::getline(lines, line);) {
    Json json = Json::parse(line, nullptr, false);
    if (json.is_object()) all.push_back(std::move(json));
  }
  return all;
}

}  // namespace

RunFiles::RunFiles(const RunDirectory& run)
    : name(run.name()),
      status(run.status()),
      info(run.info()),
      quality(json_of(run.file("report.json"))),
      data(json_of(run.file("data_report.json"))),
      kfold(json_of(run.file("kfold.json"))),
      tasks(Json::object()),
      metrics(lines_of(run.file("metrics.jsonl"))),
      samples(lines_of(run.file("samples.jsonl"))),
      recipe(text_of(run.file("recipe.yaml"))),
      resolved(text_of(run.file("resolved.yaml"))),
      data_text(text_of(run.file("data_report.txt"))) {
  options = resolved.empty() ? Json::object() : parse_yaml(resolved, run.file("resolved.yaml").string()).json;
  constexpr std::string_view kTasks = ".tasks.json";
  for (const fs::path& path : list_files(run.path(), false)) {
    const std::string file = path.filename().string();
    if (file.ends_with(kTasks)) tasks[file.substr(0, file.size() - kTasks.size())] = read_json(path);
  }
}

double number_at(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_number() ? found->get<double>() : std::numeric_limits<double>::quiet_NaN();
}

const Json& part(const Json& object, const char* key) {
  static const Json kNothing = Json::object();
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && (found->is_object() || found->is_array()) ? *found : kNothing;
}

}  // namespace danlu::app
