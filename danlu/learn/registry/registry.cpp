#include "danlu/learn/registry/registry.h"

#include <unordered_map>

#include "danlu/base/format.h"
#include "danlu/learn/registry/schema.h"

namespace danlu::registry {
namespace {

constexpr const char* kColumns =
    "store, name, parent, kind, status, stage, error, started, finished, seconds, data_hash, recipe_hash, weights_hash, danlu, git_commit, stamp";

Value or_null(const std::optional<double>& number) { return number ? Value(*number) : Value(); }

std::vector<Value> values_of(const Run& r) {
  return {r.key.store, r.key.name, r.parent,  r.kind,    r.status, r.stage,      r.error, r.started, r.finished, or_null(r.seconds),
          r.data_hash, r.recipe_hash, r.weights_hash, r.danlu, r.git_commit, r.stamp};
}

// From column `c` on, in the order of kColumns.
Run read_run(const Row& row, int c) {
  const auto text = [&] { return std::string(row.text(c++)); };
  Run r;
  r.key.store = text();
  r.key.name = text();
  r.parent = text();
  r.kind = text();
  r.status = text();
  r.stage = text();
  r.error = text();
  r.started = text();
  r.finished = text();
  if (!row.is_null(c)) r.seconds = row.number(c);
  ++c;
  r.data_hash = text();
  r.recipe_hash = text();
  r.weights_hash = text();
  r.danlu = text();
  r.git_commit = text();
  r.stamp = text();
  return r;
}

std::unique_ptr<Database> open(const Location& location) {
  return location.is_postgresql() ? open_postgresql(location) : open_sqlite(location);
}

}  // namespace

Registry::Registry(const Location& location) : location_(location), database_(open(location)) { migrate(*database_, location_.shown()); }

void Registry::put(std::span<const RunRecord> records) {
  if (records.empty()) return;
  database_->atomically([&] {
    for (const RunRecord& record : records) put_one(record);
  });
}

void Registry::put_one(const RunRecord& record) {
  if (!record.run.recipe_hash.empty()) insert("recipes", {{record.run.recipe_hash, record.recipe}}, "ON CONFLICT (hash) DO NOTHING");
  const int64_t id = put_run(record.run);
  for (const char* table : {"infos", "tags", "results", "params", "metrics", "artefacts"}) {
    database_->execute(fmt::format("DELETE FROM {} WHERE run = $1", table), {id});
  }
  std::vector<std::vector<Value>> tags, results, params, artefacts;
  for (const std::string& tag : record.run.tags) tags.push_back({id, tag});
  for (const Result& r : record.run.results) results.push_back({id, r.name, static_cast<int64_t>(results.size()), r.value});
  for (const Param& p : record.params) params.push_back({id, p.name, p.value, or_null(p.number)});
  for (const Artefact& a : record.artefacts) artefacts.push_back({id, a.path, a.hash, a.bytes});
  insert("infos", {{id, record.info}});
  insert("tags", tags, "ON CONFLICT DO NOTHING");
  insert("results", results, "ON CONFLICT DO NOTHING");
  insert("params", params);
  insert("artefacts", artefacts);
  put_metrics(id, record.metrics);
}

// The identity of a key stays for as long as the key does. Whoever comes second waits here for the first.
int64_t Registry::put_run(const Run& run) {
  static const std::string sql = fmt::format(
      "INSERT INTO runs ({}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
      " ON CONFLICT (store, name) DO UPDATE SET parent = $3, kind = $4, status = $5, stage = $6, error = $7, started = $8, finished = $9,"
      " seconds = $10, data_hash = $11, recipe_hash = $12, weights_hash = $13, danlu = $14, git_commit = $15, stamp = $16 RETURNING id",
      kColumns);
  int64_t id = 0;
  database_->execute(sql, values_of(run), [&](const Row& row) { id = row.integer(0); });
  return id;
}

// Many rows a statement: a server answers each of them after a journey there and back. Few lengths, so that few statements are kept.
void Registry::insert(const std::string& table, const std::vector<std::vector<Value>>& rows, const std::string& otherwise) {
  for (size_t begin = 0; begin < rows.size();) {
    size_t count = 256;
    while (count > rows.size() - begin) count /= 4;
    std::string sql = fmt::format("INSERT INTO {} VALUES ", table);
    std::vector<Value> parameters;
    for (size_t i = begin; i < begin + count; ++i) {
      sql += i == begin ? "(" : ", (";
      for (const Value& value : rows[i]) {
        sql += fmt::format("{}${}", &value == rows[i].data() ? "" : ", ", parameters.size() + 1);
        parameters.push_back(value);
      }
      sql += ")";
    }
    database_->execute(otherwise.empty() ? sql : sql + " " + otherwise, parameters);
    begin += count;
  }
}

void Registry::put_metrics(int64_t id, std::span<const Metric> metrics) {
  // One statement may not name a row twice: the last value of a step counts.
  std::map<std::pair<std::string, int64_t>, double> values;
  for (const Metric& m : metrics) values[{m.name, m.step}] = m.value;
  std::vector<std::vector<Value>> rows;
  for (const auto& [key, value] : values) rows.push_back({id, key.first, key.second, value});
  insert("metrics", rows);
}

void Registry::set_status(const RunKey& key, const std::string& status) {
  database_->atomically(
      [&] { database_->execute("UPDATE runs SET status = $3 WHERE store = $1 AND name = $2", {key.store, key.name, status}); });
}

void Registry::remove(const RunKey& key) {
  database_->atomically([&] {
    std::string recipe;
    database_->execute("SELECT recipe_hash FROM runs WHERE store = $1 AND name = $2", {key.store, key.name}, [&](const Row& row) { recipe = row.text(0); });
    database_->execute("DELETE FROM runs WHERE store = $1 AND name = $2", {key.store, key.name});
    database_->execute("DELETE FROM recipes WHERE hash = $1 AND NOT EXISTS (SELECT 1 FROM runs WHERE recipe_hash = $1)", {recipe});
  });
}

std::optional<int64_t> Registry::id_of(const RunKey& key) {
  std::optional<int64_t> id;
  database_->execute("SELECT id FROM runs WHERE store = $1 AND name = $2", {key.store, key.name}, [&](const Row& row) { id = row.integer(0); });
  return id;
}

std::vector<Run> Registry::list(const Query& query, int64_t results, const std::vector<std::string>& names) {
  std::vector<Run> runs;
  std::unordered_map<int64_t, size_t> places;  // of a run's id among `runs`
  database_->reading([&] {
    std::vector<Value> parameters;
    const std::string ids = to_sql(query, parameters);
    database_->execute(ids, parameters, [&](const Row& row) { places.emplace(row.integer(0), places.size()); });
    runs.resize(places.size());
    // Each table is read once, from its beginning, and what is not asked for is passed over.
    const auto place = [&](const Row& row) -> Run* {
      const auto found = places.find(row.integer(0));
      return found == places.end() ? nullptr : &runs[found->second];
    };
    database_->execute(fmt::format("SELECT id, {} FROM runs", kColumns), {}, [&](const Row& row) {
      if (Run* run = place(row)) *run = read_run(row, 1);
    });
    database_->execute("SELECT run, tag FROM tags ORDER BY run, tag", {}, [&](const Row& row) {
      if (Run* run = place(row)) run->tags.emplace_back(row.text(1));
    });
    std::vector<Value> wanted = {results};
    std::string which = "position < $1";
    for (const std::string& name : names) {
      wanted.emplace_back(name);
      which += fmt::format(" OR name = ${}", wanted.size());
    }
    database_->execute(fmt::format("SELECT run, name, value FROM results WHERE {} ORDER BY run, position", which), wanted, [&](const Row& row) {
      if (Run* run = place(row)) run->results.push_back({std::string(row.text(1)), row.number(2)});
    });
  });
  return runs;
}

std::optional<RunRecord> Registry::find(const RunKey& key) {
  std::optional<RunRecord> found;
  database_->reading([&] {
    const auto id = id_of(key);
    if (!id) return;
    RunRecord r;
    const auto each = [&](const std::string& sql, const OnRow& on_row) { database_->execute(sql, {*id}, on_row); };
    each(fmt::format("SELECT {} FROM runs WHERE id = $1", kColumns), [&](const Row& row) { r.run = read_run(row, 0); });
    each("SELECT text FROM infos WHERE run = $1", [&](const Row& row) { r.info = row.text(0); });
    each("SELECT recipes.text FROM recipes JOIN runs ON runs.recipe_hash = recipes.hash WHERE runs.id = $1",
         [&](const Row& row) { r.recipe = row.text(0); });
    each("SELECT tag FROM tags WHERE run = $1 ORDER BY tag", [&](const Row& row) { r.run.tags.emplace_back(row.text(0)); });
    each("SELECT name, value FROM results WHERE run = $1 ORDER BY position",
         [&](const Row& row) { r.run.results.push_back({std::string(row.text(0)), row.number(1)}); });
    each("SELECT name, value, number FROM params WHERE run = $1 ORDER BY name", [&](const Row& row) {
      Param p{std::string(row.text(0)), std::string(row.text(1)), {}};
      if (!row.is_null(2)) p.number = row.number(2);
      r.params.push_back(std::move(p));
    });
    each("SELECT name, step, value FROM metrics WHERE run = $1 ORDER BY name, step",
         [&](const Row& row) { r.metrics.push_back({std::string(row.text(0)), row.integer(1), row.number(2)}); });
    each("SELECT path, hash, bytes FROM artefacts WHERE run = $1 ORDER BY path",
         [&](const Row& row) { r.artefacts.push_back({std::string(row.text(0)), std::string(row.text(1)), row.integer(2)}); });
    found = std::move(r);
  });
  return found;
}

std::vector<RunKey> Registry::named(const std::string& name) {
  std::vector<RunKey> keys;
  database_->execute("SELECT store FROM runs WHERE name = $1 ORDER BY store", {name},
                     [&](const Row& row) { keys.push_back({std::string(row.text(0)), name}); });
  return keys;
}

std::vector<std::string> Registry::keys() {
  std::vector<std::string> all;
  database_->execute("SELECT name FROM results UNION SELECT name FROM params", {}, [&](const Row& row) { all.emplace_back(row.text(0)); });
  return all;
}

bool Registry::has_key(const std::string& name) {
  bool found = is_column(name);
  for (const char* table : {"results", "params"}) {
    if (!found) database_->execute(fmt::format("SELECT 1 FROM {} WHERE name = $1 LIMIT 1", table), {name}, [&](const Row&) { found = true; });
  }
  return found;
}

std::map<std::string, Registry::Known> Registry::known(const std::string& store) {
  std::map<std::string, Known> found;
  database_->execute("SELECT name, stamp, status, kind FROM runs WHERE store = $1", {store}, [&](const Row& row) {
    found[std::string(row.text(0))] = {std::string(row.text(1)), std::string(row.text(2)), std::string(row.text(3))};
  });
  return found;
}

}  // namespace danlu::registry
