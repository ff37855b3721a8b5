#include "danlu/app/report/run_files.h"

#include <limits>

#include "danlu/app/recipe/yaml.h"
#include "danlu/base/base64.h"

namespace danlu::app {

RunFiles::RunFiles(const RunDirectory& run)
    : name(run.name()),
      status(run.status()),
      info(run.info()),
      quality(run.json("report.json")),
      data(run.json("data_report.json")),
      explanation(run.json("explanation.json")),
      kfold(run.json("kfold.json")),
      compression(run.json("bundle/compress.json")),
      tasks(Json::object()),
      metrics(run.lines("metrics.jsonl")),
      samples(run.lines("samples.jsonl")),
      recipe(run.text("recipe.yaml")),
      resolved(run.text("resolved.yaml")),
      data_text(run.text("data_report.txt")) {
  options = resolved.empty() ? Json::object() : parse_yaml(resolved, run.file("resolved.yaml").string()).json;
  for (Json& sample : samples) {
    const std::string file = sample.contains("file") && sample["file"].is_string() ? sample["file"].get<std::string>() : "";
    if (!file.empty() && file.find("..") == std::string::npos) sample["image"] = base64_encode(run.text(file.c_str()));
  }
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
