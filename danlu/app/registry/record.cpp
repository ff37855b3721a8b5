#include "danlu/app/registry/record.h"

#include <sys/stat.h>

#include <map>

#include "danlu/app/recipe/file_lock.h"
#include "danlu/app/recipe/yaml.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/hash.h"

namespace danlu::app {
namespace {

using registry::RunRecord;

constexpr const char* kWhere = "app.registry";
constexpr size_t kMaxTagBytes = 200;
constexpr size_t kMaxNameBytes = 500;  // of a result, an option or a metric: a registry keeps an index of them

std::string word(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

// "train.epochs" -> 5, for every leaf.
void flatten(const Json& json, const std::string& path, std::map<std::string, Json>& out) {
  if (!json.is_object()) {
    out[path] = json;
    return;
  }
  for (const auto& [key, value] : json.items()) flatten(value, path.empty() ? key : path + "." + key, out);
}

void add_number(RunRecord& record, const std::string& name, const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found != object.end() && found->is_number() && name.size() <= kMaxNameBytes) record.run.results.push_back({name, found->get<double>()});
}

// What was measured on held-out data first, then what it took.
void read_results(RunRecord& record, const RunDirectory& run, const Json& info) {
  const Json report = run.json("report.json");
  const Json metrics = report.value("metrics", Json::object());
  for (const auto& [name, metric] : metrics.items()) add_number(record, name, metric, "value");
  add_number(record, "kfold.accuracy", run.json("kfold.json"), "mean");
  const Json training = info.value("training", Json::object());
  for (const char* key : {"best_value", "steps", "epochs", "seconds", "cpu_seconds", "peak_memory_bytes"}) add_number(record, fmt::format("training.{}", key), training, key);
  for (const char* key : {"parameters", "peak_memory_bytes"}) add_number(record, key, info, key);
  for (const char* key : {"samples_per_second", "tokens_per_second"}) add_number(record, key, report, key);
}

void read_metrics(RunRecord& record, const RunDirectory& run) {
  for (const Json& json : run.lines("metrics.jsonl")) {
    if (!json.contains("step") || !json["step"].is_number_integer()) continue;
    const auto step = json["step"].get<int64_t>();
    for (const auto& [name, value] : json.items()) {
      if (name != "step" && value.is_number() && name.size() <= kMaxNameBytes) record.metrics.push_back({name, step, value.get<double>()});
    }
  }
}

void read_params(RunRecord& record, const RunDirectory& run) {
  const std::string text = run.text("resolved.yaml");
  if (text.empty()) return;
  std::map<std::string, Json> leaves;
  flatten(parse_yaml(text, run.file("resolved.yaml").string()).json, "", leaves);
  for (const auto& [name, value] : leaves) {
    if (name.size() > kMaxNameBytes) continue;
    if (value.is_number()) record.params.push_back({name, fmt::format("{}", value.get<double>()), value.get<double>()});
    else record.params.push_back({name, value.is_string() ? value.get<std::string>() : to_line(value), {}});
  }
}

// What the run is used by afterwards. Checkpoints of a training under way change too often to be worth a hash.
void read_artefacts(RunRecord& record, const RunDirectory& run) {
  if (record.run.status != "finished" || !fs::exists(run.bundle())) return;
  std::vector<fs::path> files = list_files(run.bundle(), true);
  for (const char* name : {"report.json", "report.html", "split.json"}) {
    if (fs::exists(run.file(name))) files.push_back(run.file(name));
  }
  for (const fs::path& file : files) {
    const MappedFile contents(file);
    record.artefacts.push_back({file.lexically_relative(run.path()).generic_string(), hash_text(contents.text()).hex(), static_cast<int64_t>(contents.bytes().size())});
  }
}

RunRecord read(const RunDirectory& run, registry::RunKey key) {
  RunRecord record;
  registry::Run& r = record.run;
  r.stamp = stamp_of(run);  // before anything is read: what is written meanwhile makes another
  const Json info = run.info();
  if (!info.is_object()) throw DataError(kWhere, fmt::format("{}: got no JSON object; expected what danlu writes", run.file("run.json").string()));
  const Json training = info.value("training", Json::object());
  const size_t slash = key.name.rfind('/');
  r.parent = slash == std::string::npos ? word(info, "parent") : key.name.substr(0, slash);
  r.key = std::move(key);
  r.kind = info.contains("imported_from") ? "import" : info.value("kind", "run");
  r.status = run.status();
  r.stage = word(info, "stage");
  r.error = word(info, "error");
  r.started = word(info, "started");
  r.finished = word(info, "finished");
  if (training.contains("seconds") && training["seconds"].is_number()) r.seconds = training["seconds"].get<double>();
  r.data_hash = word(info, "data_hash");
  r.weights_hash = word(training, "weights_hash");
  r.danlu = word(info, "danlu");
  r.git_commit = word(info, "git_commit");
  r.tags = read_tags(run);
  record.info = to_line(info);
  record.recipe = run.text("recipe.yaml");
  if (!record.recipe.empty()) r.recipe_hash = hash_text(record.recipe).hex();
  read_results(record, run, info);
  read_metrics(record, run);
  read_params(record, run);
  read_artefacts(record, run);
  return record;
}

}  // namespace

registry::RunRecord read_record(const RunDirectory& run, registry::RunKey key) {
  try {
    return read(run, std::move(key));
  } catch (const Json::exception& error) {
    throw DataError(kWhere, fmt::format("{}: a file of the run is not as danlu writes it: {}", run.path().string(), error.what()));
  }
}

std::string stamp_of(const RunDirectory& run) {
  // Most files are renamed into their place: that changes the time of the directory, and a new run.json is another inode. Metrics are
  // added at the end of their file.
  struct stat directory{}, info{}, metrics{};
  if (::stat(run.path().c_str(), &directory) != 0 || ::stat(run.file("run.json").c_str(), &info) != 0) return "";
  if (::stat(run.file("metrics.jsonl").c_str(), &metrics) != 0) metrics.st_size = 0;
  return fmt::format("{:x}.{:x}.{:x}.{:x}.{:x}.{:x}.{:x}", directory.st_mtim.tv_sec, directory.st_mtim.tv_nsec, info.st_mtim.tv_sec,
                     info.st_mtim.tv_nsec, info.st_size, info.st_ino, metrics.st_size);
}

std::vector<std::string> read_tags(const RunDirectory& run) {
  std::vector<std::string> tags;
  const Json json = run.json("tags.json");
  for (const Json& tag : json) {
    if (tag.is_string() && tag.get<std::string>().size() <= kMaxTagBytes) tags.push_back(tag.get<std::string>());
  }
  return tags;
}

std::vector<std::string> edit_tags(const RunDirectory& run, const std::function<void(std::vector<std::string>&)>& edit) {
  const fs::path path = fs::absolute(run.path());
  const FileLock lock(path.parent_path() / ".locks" / (path.filename().string() + ".tags"));  // that of the run is held by a training
  std::vector<std::string> tags = read_tags(run);
  edit(tags);
  for (const std::string& tag : tags) {
    if (tag.empty() || tag.size() > kMaxTagBytes) throw ConfigError(kWhere, fmt::format("got a tag of {} bytes; expected 1 to {}", tag.size(), kMaxTagBytes));
  }
  write_json(run.file("tags.json"), tags);
  return tags;
}

}  // namespace danlu::app
