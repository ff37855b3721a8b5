#include <algorithm>
#include <optional>

#include "danlu/app/cli/verbs.h"
#include "danlu/app/recipe/yaml.h"
#include "danlu/app/registry/listing.h"
#include "danlu/app/registry/record.h"
#include "danlu/app/report/comparison.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/log.h"

namespace danlu::app {
namespace {

using registry::Query;
using registry::RunRecord;

constexpr const char* kWhere = "app.runs";
constexpr uint64_t kMostRuns = 1000000000;

// In step with the directories. Where the file beside the runs cannot be written, or there are no runs yet, one in memory does.
RunRegistry open_registry(const Context& context) {
  const bool is_given = !context.registry.empty();
  if (!is_given && !fs::exists(context.runs)) return RunRegistry(context.runs, ":memory:");
  try {
    RunRegistry registry(context.runs, context.registry);
    registry.refresh();
    return registry;
  } catch (const FileError& error) {
    if (is_given) throw;
    log_warning(kWhere, fmt::format("{}; read from the run directories instead", error.what()));
  }
  RunRegistry registry(context.runs, ":memory:");
  registry.refresh();
  return registry;
}

bool is_condition(const std::string& word) { return word.find_first_of("=<>!") != std::string::npos; }

class RunsVerb : public Verb {
 public:
  RunsVerb() : Verb("runs", "list, compare, tag, export and remove runs") {}

  void declare(Arguments& arguments) override {
    arguments.optional_word("action", action_, "list (the default), show, compare, diff, tag, export or rm");
    arguments.words("names", names_, "runs, by name or path; list and export take conditions too, and the name of a search for its trials");
    arguments.options("--status", query_.statuses, "list, export: finished, failed, stopped, interrupted, ...; may be given again");
    arguments.options("--tag", query_.tags, "list, export: with this tag; may be given again");
    arguments.option("--sort", query_.sort, "list, export: by a result, an option of the recipe, or a column; the largest first");
    arguments.flag("--reverse", query_.reverse, "list, export: the smallest first");
    arguments.option("--limit", [this](const std::string& text) { query_.limit = parse_count(text); }, "list, export: so many");
    arguments.options("--show", keys_, "list: this result as a column; may be given again");
    arguments.flag("--all", all_, "list, export: the trials of searches too");
    arguments.flag("--remove", remove_, "tag: take these tags away");
    arguments.option("--to", to_, "export: a file, .csv or .jsonl; default: CSV on standard output");
    arguments.option("--html", html_, "compare: a page with the curves too, in this file");
    arguments.examples(
        "danlu runs\n"
        "danlu runs list 'accuracy>0.9' model.type=mlp --tag best --sort accuracy --limit 10\n"
        "danlu runs list medical-tune --sort train.optimizer.lr\n"
        "danlu runs show medical\n"
        "danlu runs compare medical medical-wide --html both.html\n"
        "danlu runs diff medical medical-wide\n"
        "danlu runs tag medical best shipped\n"
        "danlu runs export --all --to runs.csv\n"
        "danlu runs rm medical-wide");
  }

  int run(const Context& context) override {
    check();
    std::optional<Query> query;
    if (takes_conditions()) query = filter();  // wrong conditions are told before anything is opened
    RunRegistry registry = open_registry(context);
    if (action_ == "list") list(context.console, registry, *query);
    if (action_ == "export") export_runs(context.console, registry, *query);
    if (action_ == "show") show(context.console, registry);
    if (action_ == "compare") compare(context.console, registry);
    if (action_ == "diff") diff(context.console, registry);
    if (action_ == "tag") tag(context.console, registry);
    if (action_ == "rm") remove(context.console, registry);
    return kOk;
  }

 private:
  bool takes_conditions() const { return action_ == "list" || action_ == "export"; }

  static int64_t parse_count(const std::string& text) {
    const Json value = Json::parse(text, nullptr, false);
    if (!value.is_number_unsigned() || value.get<uint64_t>() > kMostRuns) {
      throw ConfigError(kWhere, fmt::format("--limit: got {}; expected a whole number up to {}", text, kMostRuns));
    }
    return value.get<int64_t>();
  }

  void check() const {
    struct Action {
      const char* name;
      size_t least, most;
      const char* expected;
    };
    constexpr size_t kAny = 1000000;
    static const Action kActions[] = {{"list", 0, kAny, ""},      {"show", 1, 1, "one"},  {"compare", 2, kAny, "two or more"},
                                      {"diff", 2, kAny, "two or more"}, {"tag", 1, kAny, "a run, and tags"}, {"export", 0, kAny, ""},
                                      {"rm", 1, kAny, "at least one"}};
    std::vector<std::string> actions;
    for (const Action& action : kActions) {
      if (action_ != action.name) {
        actions.emplace_back(action.name);
        continue;
      }
      if (names_.size() < action.least || names_.size() > action.most) {
        throw ConfigError(kWhere, fmt::format("{}: got {} names; expected {}", action_, names_.size(), action.expected));
      }
      return;
    }
    throw ConfigError(kWhere, fmt::format("got \"{}\"; expected {}{}", action_, fmt::join(actions, ", "), did_you_mean(action_, actions)));
  }

  Query filter() const {
    Query query = query_;
    for (const std::string& word : names_) {
      if (is_condition(word)) query.conditions.push_back(registry::parse_condition(word));
      else if (query.parent) throw ConfigError(kWhere, fmt::format("{}: got {} and {}; expected one search, and conditions like \"accuracy>0.9\"", action_, *query.parent, word));
      else query.parent = word.ends_with('/') ? word.substr(0, word.size() - 1) : word;
    }
    query.top = !all_ && !query.parent;
    return query;
  }

  // A search by its name or path becomes that one, and no other of the same name; a key that no run has is refused, for it would sort and
  // show nothing.
  static void resolve(RunRegistry& registry, Query& query, std::vector<std::string> keys) {
    if (query.parent) {
      const registry::RunKey key = registry.find(*query.parent).run.key;
      query.store = key.store;
      query.parent = key.name;
    }
    if (!query.sort.empty()) keys.push_back(query.sort);
    for (const std::string& key : keys) registry.check_key(key);
  }

  void list(Console& console, RunRegistry& registry, Query query) const {
    constexpr int64_t kShown = 2, kEvery = 1000000;
    resolve(registry, query, keys_);
    const bool json = console.form() == LogForm::json;
    const std::vector<registry::Run> runs = registry.list(query, json ? kEvery : kShown, keys_);
    console.result(json ? "" : list_text(registry, runs, keys_), json ? Json{{"event", "runs"}, {"runs", list_json(registry, runs)}} : Json());
  }

  void export_runs(Console& console, RunRegistry& registry, Query query) const {
    resolve(registry, query, {});
    const std::string form = to_.empty() ? ".csv" : fs::path(to_).extension().string();
    if (form != ".csv" && form != ".jsonl") throw ConfigError(kWhere, fmt::format("--to: got {}; expected a name that ends in .csv or .jsonl", to_));
    std::vector<RunRecord> records;
    for (const registry::Run& run : registry.list(query, 0, {})) records.push_back(registry.find(registry.shown(run.key)));
    const std::string text = form == ".csv" ? export_csv(registry, records) : export_jsonl(registry, records);
    if (to_.empty()) return console.result(text, {{"event", "exported"}, {"csv", text}});
    write_file_atomic(to_, text);
    console.note(fmt::format("{}: {} runs\n", to_, records.size()), {{"event", "exported"}, {"file", to_}, {"runs", records.size()}});
  }

  // A run of another directory too.
  RunRecord record_of(RunRegistry& registry, const std::string& name) const {
    try {
      return registry.find(name);
    } catch (const FileError&) {
      const RunDirectory run(name);
      if (!run.exists()) throw;
      return read_record(run, {"", name});
    }
  }
  std::vector<RunRecord> records_of(RunRegistry& registry) const {
    std::vector<RunRecord> records;
    for (const std::string& name : names_) records.push_back(record_of(registry, name));
    return records;
  }

  void show(Console& console, RunRegistry& registry) const {
    const RunRecord record = record_of(registry, names_[0]);
    Json info = Json::parse(record.info, nullptr, false);
    info["status"] = record.run.status;
    if (!record.run.parent.empty()) info["parent"] = record.run.parent;
    if (!record.run.tags.empty()) info["tags"] = record.run.tags;
    std::string text = to_yaml(info);
    const RunDirectory run = registry.is_here(record.run.key) ? registry.directory(record.run.key) : RunDirectory(names_[0]);
    if (run.exists()) {
      for (const char* page : {"data_report.txt", "report.txt"}) {
        if (fs::exists(run.file(page))) text += "\n" + read_file(run.file(page));
      }
    } else {
      text += "\n" + quality({&record, 1}).text();
    }
    if (!record.artefacts.empty()) {
      text += "\nfiles\n";
      for (const registry::Artefact& file : record.artefacts) text += fmt::format("  {}  {:>12}  {}\n", file.hash, file.bytes, file.path);
    }
    console.result(text, {{"event", "run"}, {"info", info}, {"metrics", list_json(registry, {&record.run, 1})[0]["metrics"]}});
  }

  void compare(Console& console, RunRegistry& registry) const {
    const std::vector<RunRecord> records = records_of(registry);
    if (!html_.empty()) {
      std::vector<RunDirectory> runs;
      for (size_t i = 0; i < records.size(); ++i) {
        const bool known = registry.is_here(records[i].run.key) && registry.directory(records[i].run.key).exists();
        runs.push_back(known ? registry.directory(records[i].run.key) : RunDirectory(names_[i]));
        if (!runs.back().exists()) throw ConfigError(kWhere, fmt::format("--html: {} lies elsewhere; a page needs the files of its directory", names_[i]));
      }
      write_file_atomic(html_, comparison_report(runs));
    }
    const SideBySide options = differences(records), metrics = quality(records), effort = cost(records);
    console.result(fmt::format("{}\n\n{}\n{}\n{}", fmt::join(names_, ", "), options.text(), metrics.text(), effort.text()),
                   {{"event", "compared"}, {"runs", names_}, {"options", options.json()}, {"metrics", metrics.json()}, {"cost", effort.json()}});
  }

  void diff(Console& console, RunRegistry& registry) const {
    const SideBySide options = differences(records_of(registry));
    console.result(options.text(), {{"event", "compared"}, {"runs", names_}, {"options", options.json()}});
  }

  void tag(Console& console, RunRegistry& registry) const {
    const RunRecord record = registry.find(names_[0]);
    const RunDirectory run = here(registry, record);
    std::vector<std::string> tags;
    if (names_.size() == 1) {
      tags = read_tags(run);
    } else {
      tags = edit_tags(run, [&](std::vector<std::string>& all) {
        for (size_t i = 1; i < names_.size(); ++i) {
          std::erase(all, names_[i]);
          if (!remove_) all.push_back(names_[i]);
        }
      });
      registry.record(run);
    }
    console.result(fmt::format("{}: {}\n", names_[0], tags.empty() ? "no tags" : fmt::format("{}", fmt::join(tags, ", "))),
                   {{"event", "tagged"}, {"run", names_[0]}, {"tags", tags}});
  }

  void remove(Console& console, RunRegistry& registry) const {
    std::vector<RunRecord> records;
    for (const std::string& name : names_) records.push_back(registry.find(name));  // all of them are there, or none goes
    leave_out_repeated(records);
    for (const RunRecord& record : records) {
      const RunDirectory run = here(registry, record);
      const RunLock lock(run);
      run.remove_all();
      registry.forget(record.run.key);
      console.note(fmt::format("removed {}\n", run.path().string()), {{"event", "removed"}, {"run", run.path().string()}});
    }
    registry.refresh();  // a search takes its trials with it
  }

  // A run that is named twice, and a trial whose search goes with all that is in it.
  static void leave_out_repeated(std::vector<RunRecord>& records) {
    const auto is_within = [](const registry::RunKey& key, const registry::RunKey& other) {
      return key.store == other.store && (key.name == other.name || key.name.starts_with(other.name + "/"));
    };
    std::sort(records.begin(), records.end(), [](const RunRecord& a, const RunRecord& b) { return a.run.key.name.size() < b.run.key.name.size(); });
    std::vector<RunRecord> kept;
    for (RunRecord& record : records) {
      const bool goes_anyway = std::any_of(kept.begin(), kept.end(), [&](const RunRecord& other) { return is_within(record.run.key, other.run.key); });
      if (!goes_anyway) kept.push_back(std::move(record));
    }
    records = std::move(kept);
  }

  static RunDirectory here(const RunRegistry& registry, const RunRecord& record) {
    if (!registry.is_here(record.run.key)) {
      throw ConfigError(kWhere, fmt::format("{} lies in {}; do this there", record.run.key.name, record.run.key.store));
    }
    return registry.directory(record.run.key);
  }

  std::string action_ = "list", to_, html_;
  std::vector<std::string> names_, keys_;
  Query query_;
  bool all_ = false, remove_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_runs_verb() { return std::make_unique<RunsVerb>(); }

}  // namespace danlu::app
