// What a registry promises, on SQLite and on a real PostgreSQL server alike.
#include "danlu/learn/registry/registry.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <barrier>
#include <cmath>
#include <future>

#include "danlu/base/format.h"
#include "danlu/base/temporary_directory.h"
#include "danlu/base/timer.h"
#include "danlu/learn/registry/schema.h"
#include "tests/postgresql_server.h"

namespace danlu::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

RunRecord record_of(const std::string& name, double accuracy, double lr, const std::string& store = "") {
  RunRecord r;
  r.run.key = {store, name};
  r.run.kind = "run";
  r.run.status = "finished";
  r.run.started = fmt::format("2026-11-{:02}T10:00:00Z", 1 + name.size() % 28);
  r.run.seconds = 1.5;
  r.run.data_hash = "d1";
  r.run.recipe_hash = "r-" + name;
  r.run.stamp = "s1";
  r.run.tags = {"best", "größte"};
  r.run.results = {{"accuracy", accuracy}, {"f1", accuracy / 2}, {"log_loss", 1 - accuracy}};
  r.info = R"({"name":"it's \"quoted\""})";
  r.recipe = "name: " + name + "\n";
  r.params = {{"model.type", "mlp", {}}, {"train.optimizer.lr", fmt::format("{}", lr), lr}};
  r.metrics = {{"train_loss", 10, 0.7}, {"train_loss", 20, std::nan("")}, {"validation_loss", 20, 0.25}};
  r.artefacts = {{"bundle/model.safetensors", "abc", int64_t{1} << 40}};
  return r;
}

void put(Registry& registry, const RunRecord& record) { registry.put({&record, 1}); }

std::vector<std::string> names(const std::vector<Run>& runs) {
  std::vector<std::string> all;
  for (const Run& run : runs) all.push_back(run.key.name);
  return all;
}

enum class Kind { sqlite, postgresql };
void PrintTo(Kind kind, std::ostream* stream) { *stream << (kind == Kind::sqlite ? "sqlite" : "postgresql"); }

class RegistryOf : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (GetParam() == Kind::sqlite) return;
    server_ = test::PostgresqlServer::start();
    if (server_ == nullptr) GTEST_SKIP() << "PostgreSQL is not installed (Debian: apt-get install postgresql)";
  }
  Location location() const { return Location(server_ ? server_->url() : (directory_ / "danlu.db").string()); }
  std::unique_ptr<Database> database() const { return server_ ? open_postgresql(location()) : open_sqlite(location()); }

  TemporaryDirectory directory_;
  std::unique_ptr<test::PostgresqlServer> server_;
};

TEST_P(RegistryOf, KeepsAllOfARunAndReplacesIt) {
  const RunRecord before = record_of("medical", 0.9, 1e-3);
  {
    Registry registry(location());
    put(registry, before);
  }
  Registry registry(location());
  const RunRecord r = registry.find({"", "medical"}).value();
  EXPECT_EQ(r.run.status, "finished");
  EXPECT_EQ(r.run.seconds, 1.5);
  EXPECT_EQ(r.run.results, before.run.results);
  EXPECT_THAT(r.run.tags, ElementsAre("best", "größte"));
  EXPECT_EQ(r.info, before.info);
  EXPECT_EQ(r.recipe, before.recipe);
  ASSERT_EQ(r.params.size(), 2u);
  EXPECT_EQ(r.params[0].value, "mlp");
  EXPECT_FALSE(r.params[0].number.has_value());
  EXPECT_EQ(r.params[1].number, 1e-3);
  ASSERT_EQ(r.metrics.size(), 3u);
  EXPECT_EQ(r.metrics[0].value, 0.7) << "doubles come back to the bit";
  EXPECT_TRUE(std::isnan(r.metrics[1].value));
  EXPECT_EQ(r.artefacts[0].bytes, int64_t{1} << 40);

  RunRecord after = before;
  after.run.status = "failed";
  after.run.seconds.reset();
  after.run.tags = {};
  after.metrics.resize(1);
  put(registry, after);
  const RunRecord replaced = registry.find({"", "medical"}).value();
  EXPECT_EQ(replaced.run.status, "failed");
  EXPECT_FALSE(replaced.run.seconds.has_value());
  EXPECT_TRUE(replaced.run.tags.empty());
  EXPECT_EQ(replaced.metrics.size(), 1u);
  EXPECT_EQ(registry.list({}).size(), 1u);
}

TEST_P(RegistryOf, ListsByConditionsTagsAndOrder) {
  Registry registry(location());
  put(registry, record_of("a", 0.7, 1e-2));
  put(registry, record_of("bb", 0.9, 1e-3));
  put(registry, record_of("ccc", 0.8, 1e-4));
  RunRecord trial = record_of("search/0001", 0.99, 1);
  trial.run.parent = "search";
  trial.run.tags = {};
  trial.run.status = "stopped";
  put(registry, trial);

  EXPECT_THAT(names(registry.list({.top = true})), ElementsAre("ccc", "bb", "a")) << "the newest first";
  EXPECT_THAT(names(registry.list({.parent = "search"})), ElementsAre("search/0001"));
  EXPECT_THAT(names(registry.list({.top = true, .sort = "accuracy"})), ElementsAre("bb", "ccc", "a"));
  EXPECT_THAT(names(registry.list({.top = true, .sort = "train.optimizer.lr", .reverse = true})), ElementsAre("ccc", "bb", "a"));
  EXPECT_THAT(names(registry.list({.sort = "accuracy", .limit = 2})), ElementsAre("search/0001", "bb"));
  EXPECT_THAT(names(registry.list({.statuses = {"stopped", "failed"}})), ElementsAre("search/0001"));
  EXPECT_THAT(names(registry.list({.tags = {"größte"}, .conditions = {parse_condition("accuracy>=0.8")}})), ElementsAre("ccc", "bb"));
  EXPECT_THAT(names(registry.list({.conditions = {parse_condition("train.optimizer.lr<0.001")}})), ElementsAre("ccc"));
  EXPECT_EQ(registry.list({.conditions = {parse_condition("model.type=mlp")}}).size(), 4u);
  EXPECT_TRUE(registry.list({.conditions = {parse_condition("model.type=cnn")}}).empty());
  EXPECT_TRUE(registry.list({.conditions = {parse_condition("absent>0")}}).empty());
  EXPECT_TRUE(registry.list({.conditions = {parse_condition("name=x'; DROP TABLE runs; --")}}).empty());

  const auto few = registry.list({.top = true, .sort = "accuracy"}, 1, {"log_loss"});
  ASSERT_EQ(few[0].results.size(), 2u);
  EXPECT_EQ(few[0].results[0].name, "accuracy");
  EXPECT_EQ(few[0].results[1].name, "log_loss");
}

TEST_P(RegistryOf, StoresDoNotMix) {
  Registry registry(location());
  put(registry, record_of("medical", 0.7, 1e-2, "ada:/runs"));
  put(registry, record_of("medical", 0.9, 1e-3, "bob:/runs"));
  EXPECT_EQ(registry.named("medical").size(), 2u);
  EXPECT_EQ(registry.known("ada:/runs").size(), 1u);
  registry.remove({"ada:/runs", "medical"});
  EXPECT_FALSE(registry.find({"ada:/runs", "medical"}).has_value());
  EXPECT_EQ(registry.find({"bob:/runs", "medical"})->run.results[0].value, 0.9);
  registry.set_status({"bob:/runs", "medical"}, "interrupted");
  EXPECT_EQ(registry.known("bob:/runs").at("medical").status, "interrupted");
}

TEST_P(RegistryOf, FourProcessesWritingAtOnceLoseNothing) {
  constexpr int kProcesses = 4, kRuns = 50;
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    const pid_t child = ::fork();
    if (child == 0) {
      int code = 1;
      try {
        Registry registry(location());  // at once too: one of them makes the tables
        for (int i = 0; i < kRuns; ++i) {
          put(registry, record_of(fmt::format("run-{}-{:03}", p, i), 0.5, 0.1));
          RunRecord shared = record_of("shared", p, i);
          shared.metrics.clear();
          for (int step = 0; step < 100; ++step) shared.metrics.push_back({"loss", step, static_cast<double>(p)});
          put(registry, shared);
        }
        code = 0;
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
      }
      ::_exit(code);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  Registry registry(location());
  EXPECT_EQ(registry.list({}).size(), size_t{kProcesses * kRuns + 1});
  for (int p = 0; p < kProcesses; ++p) {
    for (int i = 0; i < kRuns; ++i) {
      const auto found = registry.find({"", fmt::format("run-{}-{:03}", p, i)});
      ASSERT_TRUE(found.has_value()) << p << " " << i;
      EXPECT_EQ(found->metrics.size(), 3u);
    }
  }
  const RunRecord shared = registry.find({"", "shared"}).value();
  ASSERT_EQ(shared.metrics.size(), 100u);
  for (const Metric& metric : shared.metrics) EXPECT_EQ(metric.value, shared.run.results[0].value) << "all of one writer";
}

TEST_P(RegistryOf, IsMadeByManyAtOnce) {
  constexpr int kOpeners = 6;
  const int kRounds = server_ ? 80 : 25;  // the first registry that did not look at one moment failed in one of 75
  for (int round = 0; round < kRounds; ++round) {
    const Location place(server_ ? server_->url() : (directory_ / fmt::format("{}.db", round)).string());
    if (server_) database()->execute("DROP SCHEMA danlu CASCADE");
    std::barrier start(kOpeners);
    std::vector<std::future<size_t>> openers;
    for (int i = 0; i < kOpeners; ++i) {
      openers.push_back(std::async(std::launch::async, [&] {
        start.arrive_and_wait();
        Registry registry(place);
        return registry.list({}).size();
      }));
    }
    for (auto& opener : openers) {
      try {
        EXPECT_EQ(opener.get(), 0u);
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
    }
  }
}

TEST_P(RegistryOf, AWriterThatIsKilledLeavesTheStateBefore) {
  {
    Registry registry(location());
    put(registry, record_of("before", 0.5, 0.1));
  }
  int seen = 0;
  for (int round = 0; round < 10; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        Registry registry(location());
        for (int i = 0;; ++i) {
          RunRecord record = record_of("half", i, i);
          for (int step = 0; step < 2000; ++step) record.metrics.push_back({"loss", step, static_cast<double>(i)});
          put(registry, record);
        }
      } catch (...) {
        ::_exit(1);
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(30 + 17 * round));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "it ended by itself: " << status;
    Registry registry(location());
    EXPECT_TRUE(registry.find({"", "before"}).has_value());
    if (const auto half = registry.find({"", "half"})) {
      ++seen;
      EXPECT_EQ(half->metrics.size(), 2003u);
      EXPECT_EQ(half->metrics.front().value, half->run.results[0].value);
    }
  }
  EXPECT_GT(seen, 0) << "nothing was ever written";
}

TEST_P(RegistryOf, ARecipeGoesWithTheLastRunThatHasIt) {
  Registry registry(location());
  RunRecord one = record_of("one", 0.5, 0.1), two = record_of("two", 0.5, 0.1);
  one.run.recipe_hash = two.run.recipe_hash = "shared";
  put(registry, one);
  put(registry, two);
  const auto recipes = [&] {
    int count = 0;
    database()->execute("SELECT hash FROM recipes", {}, [&](const Row&) { ++count; });
    return count;
  };
  registry.remove(one.run.key);
  EXPECT_EQ(recipes(), 1);
  registry.remove(two.run.key);
  EXPECT_EQ(recipes(), 0);
}

TEST_P(RegistryOf, KnowsTheKeysThatRunsHave) {
  Registry registry(location());
  RunRecord run = record_of("medical", 0.7, 1e-2);
  run.params.push_back({"version", "1", {}});  // a text
  put(registry, run);
  for (const char* key : {"accuracy", "train.optimizer.lr", "status"}) EXPECT_TRUE(registry.has_key(key)) << key;
  EXPECT_FALSE(registry.has_key("acuracy"));
  EXPECT_EQ(registry.keys().size(), 6u);
  EXPECT_EQ(registry.list({.conditions = {parse_condition("version=1")}}).size(), 1u);
}

TEST_P(RegistryOf, ANewerVersionIsRefusedAndAnOlderOneBroughtUp) {
  { Registry registry(location()); }
  {
    const auto db = database();
    db->atomically([&] { db->execute("UPDATE meta SET value = 99 WHERE name = 'version'", {}, {}); });
  }
  try {
    Registry registry(location());
    FAIL() << "expected ConfigError";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("version 99"));
    EXPECT_THAT(error.what(), HasSubstr("newer danlu"));
    EXPECT_THAT(error.what(), Not(HasSubstr(test::PostgresqlServer::kPassword)));
  }
  const auto db = database();
  db->atomically([&] { db->execute("UPDATE meta SET value = 1 WHERE name = 'version'", {}, {}); });
  std::vector<Migration> steps(migrations().begin(), migrations().end());
  steps.push_back({"ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT 'none'"});
  migrate(*db, "a registry", steps);
  int64_t version = 0;
  db->execute("SELECT value FROM meta WHERE name = 'version'", {}, [&](const Row& row) { version = row.integer(0); });
  EXPECT_EQ(version, static_cast<int64_t>(steps.size()));
}

INSTANTIATE_TEST_SUITE_P(Sqlite, RegistryOf, testing::Values(Kind::sqlite));
#ifdef DANLU_POSTGRESQL
INSTANTIATE_TEST_SUITE_P(Postgresql, RegistryOf, testing::Values(Kind::postgresql));
#endif

TEST(Sqlite, AForeignDatabaseIsNotTouched) {
  const TemporaryDirectory directory;
  const Location location((directory / "other.db").string());
  {
    const auto db = open_sqlite(location);
    db->atomically([&] { db->execute("CREATE TABLE customers (name TEXT)", {}, {}); });
  }
  EXPECT_THROW(Registry{location}, ConfigError);
  {
    const auto db = open_sqlite(location);
    db->atomically([&] { db->execute("CREATE TABLE meta (key TEXT, value TEXT)", {}, {}); });
  }
  EXPECT_THROW(Registry{location}, ConfigError) << "a table that others have too";
  const auto db = open_sqlite(location);
  EXPECT_TRUE(db->has_table("customers"));
  EXPECT_FALSE(db->has_table("runs"));
}

TEST(Sqlite, WhatIsNoDatabaseSaysSo) {
  const TemporaryDirectory directory;
  write_file_atomic(directory / "notes.txt", std::string(5000, 'x'));
  EXPECT_THROW(Registry{Location((directory / "notes.txt").string())}, DamagedDatabase);
}

#ifdef DANLU_POSTGRESQL
TEST(Postgresql, AServerThatIsNotThereIsNamedWithoutThePassword) {
  try {
    Registry registry(Location("postgresql://ada:topsecret@127.0.0.1:1/runs?connect_timeout=2"));
    FAIL() << "expected FileError";
  } catch (const FileError& error) {
    EXPECT_THAT(error.what(), HasSubstr("127.0.0.1"));
    EXPECT_THAT(error.what(), Not(HasSubstr("topsecret")));
  }
}

TEST(Postgresql, AServerThatGoesAwayIsAnErrorAndNoCrash) {
  const auto server = test::PostgresqlServer::start();
  if (server == nullptr) GTEST_SKIP() << "PostgreSQL is not installed (Debian: apt-get install postgresql)";
  Registry registry(Location(server->url()));
  put(registry, record_of("medical", 0.7, 1e-2));
  server->stop();
  EXPECT_THROW(put(registry, record_of("medical", 0.8, 1e-2)), FileError);
  EXPECT_THROW(registry.list({}), FileError);
}
#endif

TEST(Location, HidesPasswords) {
  EXPECT_EQ(Location("postgresql://ada:geheim@db/runs").shown(), "postgresql://ada:***@db/runs");
  EXPECT_EQ(Location("postgresql://ada@db/runs?password=geheim&sslmode=require").shown(), "postgresql://ada@db/runs?password=***&sslmode=require");
  EXPECT_EQ(Location("runs/danlu.db").shown(), "runs/danlu.db");
  EXPECT_THROW(Location("mysql://ada@db/runs"), ConfigError);
}

TEST(Location, RefusesWhatMightShowAPassword) {
  for (const char* text : {"postgresql://u:sec/ret@localhost/db", "postgresql://u:sec@ret@localhost/db", "postgresql://u:sec%zzret@localhost/db",
                           "host=db password=secret dbname=x", "postgres:/u:secret@host/db", "runs.db password=secret"}) {
    try {
      const Location location(text);
      ADD_FAILURE() << "expected a ConfigError for " << text;
    } catch (const ConfigError& error) {
      EXPECT_THAT(error.what(), Not(HasSubstr("sec"))) << text;
    }
  }
  const Location encoded("postgresql://u:s%2Fec%40ret@localhost/db");
  EXPECT_THAT(encoded.without_password("for s/ec@ret and s%2Fec%40ret"), Not(HasSubstr("ec")));
}

TEST(Postgresql, ALockThatIsHeldIsNotWaitedForLong) {
  const auto server = test::PostgresqlServer::start();
  if (server == nullptr) GTEST_SKIP() << "PostgreSQL is not installed (Debian: apt-get install postgresql)";
  Registry registry{Location(server->url())};
  put(registry, record_of("medical", 0.5, 0.1));
  const auto other = open_postgresql(Location(server->url()));
  const Timer timer;
  other->atomically([&] {
    other->execute("UPDATE runs SET status = 'held'");
    EXPECT_THROW(put(registry, record_of("medical", 0.6, 0.1)), FileError);
  });
  EXPECT_LT(timer.seconds(), 20);
  put(registry, record_of("medical", 0.7, 0.1));
  EXPECT_EQ(registry.find({"", "medical"})->run.results[0].value, 0.7);
}

TEST(Condition, ReadsAndRefuses) {
  const Condition c = parse_condition(" train.optimizer.lr >= 1e-3 ");
  EXPECT_EQ(c.key, "train.optimizer.lr");
  EXPECT_EQ(c.comparison, ">=");
  EXPECT_EQ(c.number, 1e-3);
  for (const char* wrong : {"", "accuracy", "=3", "accuracy=", "accuracy=>3", "accuracy<>3", "model.type>mlp"}) {
    EXPECT_THROW(parse_condition(wrong), ConfigError) << wrong;
  }
}

}  // namespace
}  // namespace danlu::registry
