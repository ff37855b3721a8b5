#include "danlu/learn/registry/schema.h"

#include "danlu/base/format.h"

namespace danlu::registry {
namespace {

constexpr const char* kWhere = "learn.registry";

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
}

// 0: no table yet.
int64_t version_of(Database& database, const std::string& name) {
  const bool has_runs = database.has_table("runs"), has_version = database.has_table("meta");
  if (!has_version && database.is_empty()) return 0;
  if (!has_runs || !has_version) {
    throw ConfigError(kWhere, fmt::format("{} is a database, but no registry of danlu; give --registry another place", name));
  }
  int64_t version = 0;
  database.execute("SELECT value FROM meta WHERE name = 'version'", {}, [&](const Row& row) { version = row.integer(0); });
  return version;
}

}  // namespace

std::span<const Migration> migrations() {
  static const std::vector<Migration> steps = {
      // 1
      {
          "CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL)",
          "INSERT INTO meta VALUES ('version', 0)",
          "CREATE TABLE recipes (hash TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL) {clustered}",
          "CREATE TABLE runs (id {identity}, store TEXT NOT NULL, name TEXT NOT NULL, parent TEXT NOT NULL, kind TEXT NOT NULL,"
          " status TEXT NOT NULL, stage TEXT NOT NULL, error TEXT NOT NULL, started TEXT NOT NULL, finished TEXT NOT NULL,"
          " seconds DOUBLE PRECISION, data_hash TEXT NOT NULL, recipe_hash TEXT NOT NULL, weights_hash TEXT NOT NULL,"
          " danlu TEXT NOT NULL, git_commit TEXT NOT NULL, stamp TEXT NOT NULL, UNIQUE (store, name))",
          "CREATE TABLE infos (run BIGINT NOT NULL PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE, text TEXT NOT NULL)",
          "CREATE TABLE tags (run BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, tag TEXT NOT NULL,"
          " PRIMARY KEY (run, tag)) {clustered}",
          "CREATE TABLE results (run BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, name TEXT NOT NULL,"
          " position BIGINT NOT NULL, value DOUBLE PRECISION, PRIMARY KEY (run, name)) {clustered}",
          "CREATE TABLE params (run BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, name TEXT NOT NULL,"
          " value TEXT NOT NULL, number DOUBLE PRECISION, PRIMARY KEY (run, name)) {clustered}",
          "CREATE TABLE metrics (run BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, name TEXT NOT NULL,"
          " step BIGINT NOT NULL, value DOUBLE PRECISION, PRIMARY KEY (run, name, step)) {clustered}",
          "CREATE TABLE artefacts (run BIGINT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, path TEXT NOT NULL,"
          " hash TEXT NOT NULL, bytes BIGINT NOT NULL, PRIMARY KEY (run, path)) {clustered}",
      },
  };
  return steps;
}

void migrate(Database& database, const std::string& name, std::span<const Migration> steps) {
  const auto known = static_cast<int64_t>(steps.size());
  const auto check = [&](int64_t version) {
    if (version <= known) return;
    throw ConfigError(kWhere, fmt::format("{} is a registry of version {}, written by a newer danlu; this one knows versions up to {}: use the "
                                          "newer program, or give --registry another place", name, version, known));
  };
  int64_t before = 0;
  database.reading([&] { before = version_of(database, name); });  // of one moment: another process may be making the tables
  check(before);
  if (before == known) return;
  database.atomically([&] {
    database.lock_schema();
    const int64_t version = version_of(database, name);  // another process may have been faster
    check(version);
    const Words words = database.words();
    for (int64_t step = version; step < known; ++step) {
      for (std::string statement : steps[static_cast<size_t>(step)]) {
        replace_all(statement, "{identity}", words.identity);
        replace_all(statement, "{clustered}", words.clustered);
        database.execute(statement);
      }
    }
    database.execute("UPDATE meta SET value = $1 WHERE name = 'version'", {known});
  });
}

}  // namespace danlu::registry
