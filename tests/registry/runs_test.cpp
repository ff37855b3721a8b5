// `danlu runs` and the registry behind it, as a user meets them.
#include <gmock/gmock.h>

#include "danlu/base/json.h"
#include "danlu/learn/registry/database.h"
#include "tests/misuse/refusal.h"
#include "tests/postgresql_server.h"
#include "tests/program.h"
#include "tests/samples.h"
#include "tests/small_disk.h"

namespace danlu::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Runs : public testing::Test {
 protected:
  Runs() { project_.write("points.csv", points_csv(60)); }

  void expect_ok(const Words& words) const {
    const Outcome outcome = project_.danlu(words);
    EXPECT_EQ(outcome.code, 0) << outcome;
  }
  void train(const std::string& name, const Words& more = {}) const {
    Words words = {"run", "--data", "points.csv", "--target", "kind", "--name", name, "train.epochs=2"};
    words.insert(words.end(), more.begin(), more.end());
    expect_ok(words);
  }
  std::string out(const Words& words) const {
    const Outcome outcome = project_.danlu(words);
    EXPECT_EQ(outcome.code, 0) << outcome;
    return outcome.out;
  }
  Json json(Words words) const {
    words.insert(words.end(), {"--log", "json"});
    const std::string lines = out(words);
    const size_t last = lines.rfind("{\"event\"");
    return parse_json(lines.substr(last == std::string::npos ? 0 : last), "answer");
  }
  std::vector<std::string> listed(Words words) const {
    words.insert(words.begin(), {"runs", "list"});
    const Json answer = json(words);
    std::vector<std::string> names;
    for (const Json& run : answer["runs"]) names.push_back(run["name"]);
    return names;
  }
  fs::path database() const { return project_ / "runs/danlu.db"; }

  Project project_;
};

TEST_F(Runs, AreListedFilteredTaggedComparedAndRemoved) {
  train("narrow", {"model.hidden=[4]"});
  train("wide", {"model.hidden=[16]", "train.epochs=3"});
  EXPECT_EQ(listed({}).size(), 2u);
  EXPECT_THAT(listed({"train.epochs>2"}), ElementsAre("wide"));
  EXPECT_THAT(listed({"model.hidden=[4]", "--status", "finished"}), ElementsAre("narrow"));
  EXPECT_THAT(listed({"--sort", "train.epochs"}), ElementsAre("wide", "narrow"));
  EXPECT_THAT(listed({"--sort", "train.epochs", "--reverse", "--limit", "1"}), ElementsAre("narrow"));

  expect_ok({"runs", "tag", "narrow", "small", "best"});
  expect_ok({"runs", "tag", "narrow", "best", "--remove"});
  EXPECT_THAT(listed({"--tag", "small"}), ElementsAre("narrow"));
  EXPECT_TRUE(listed({"--tag", "best"}).empty());
  EXPECT_THAT(out({"runs"}), HasSubstr("small"));

  const Json compared = json({"runs", "compare", "narrow", "runs/wide"});
  EXPECT_EQ(compared["options"]["model.hidden"], Json({"[4]", "[16]"}));
  EXPECT_EQ(compared["options"]["train.epochs"], Json({"2", "3"}));
  EXPECT_FALSE(compared["options"].contains("data.target")) << "the same in both";
  EXPECT_TRUE(compared["metrics"].contains("accuracy"));
  EXPECT_EQ(compared["cost"]["training.epochs"], Json({"2", "3"}));
  expect_ok({"runs", "compare", "narrow", "wide", "--html", "both.html"});
  EXPECT_THAT(project_.read("both.html"), HasSubstr("model.hidden"));
  EXPECT_THAT(out({"runs", "diff", "narrow", "wide"}), HasSubstr("model.hidden"));
  EXPECT_THAT(out({"runs", "show", "narrow"}), HasSubstr("bundle/model.safetensors"));

  expect_ok({"runs", "rm", "narrow"});
  EXPECT_FALSE(fs::exists(project_.run("narrow").path()));
  EXPECT_THAT(listed({}), ElementsAre("wide"));
  expect_refused(project_, {"runs", "show", "wode"}, kFailed, {"got run \"wode\"; there are wide", "did you mean \"wide\"?"});
}

TEST_F(Runs, AreExportedForOtherPrograms) {
  train("a,b", {"seed=3"});
  const std::string csv = out({"runs", "export"});
  EXPECT_THAT(csv, testing::StartsWith("run,parent,kind,status,"));
  EXPECT_THAT(csv, HasSubstr("\r\n\"a,b\",,run,finished,"));
  expect_ok({"runs", "export", "--to", "all.jsonl"});
  const Json run = parse_json(project_.read("all.jsonl"), "all.jsonl");
  EXPECT_EQ(run["name"], "a,b");
  EXPECT_EQ(run["params"]["train.epochs"], 2);
  EXPECT_EQ(run["history"]["train_loss"].size(), 2u);
  EXPECT_EQ(run["weights_hash"], project_.run("a,b").info()["training"]["weights_hash"]);
  expect_refused(project_, {"runs", "export", "--to", "all.xls"}, kUsage, {".csv or .jsonl"});
}

TEST_F(Runs, TrialsOfASearchBelongToIt) {
  expect_ok({"tune", "--data", "points.csv", "--target", "kind", "--trials", "3", "--method", "random", "train.epochs=2",
             "tune.space={train.optimizer.lr: {log_uniform: [1e-4, 1e-1]}}"});
  EXPECT_THAT(listed({}), ElementsAre("points-tune"));
  EXPECT_EQ(listed({"points-tune", "--sort", "train.optimizer.lr"}).size(), 4u) << "three trials and the best";
  EXPECT_EQ(listed({"--all"}).size(), 5u);
  EXPECT_THAT(out({"runs", "show", "points-tune/0002"}), HasSubstr("parent: points-tune"));
  expect_ok({"runs", "rm", "points-tune"});
  EXPECT_TRUE(listed({"--all"}).empty());
}

TEST_F(Runs, ASearchIsFoundByItsPathAndRemovedWithItsTrials) {
  expect_ok({"tune", "--data", "points.csv", "--target", "kind", "--trials", "2", "--method", "random", "train.epochs=1",
             "tune.space={train.optimizer.lr: {log_uniform: [1e-4, 1e-1]}}"});
  EXPECT_EQ(listed({"runs/points-tune"}).size(), 3u);
  EXPECT_EQ(listed({"runs/points-tune/"}).size(), 3u);
  expect_refused(project_, {"runs", "export", "pionts-tune"}, kFailed, {"did you mean \"points-tune\"?"});
  expect_ok({"runs", "rm", "points-tune/0001", "points-tune", "points-tune"});
  EXPECT_FALSE(fs::exists(project_.run("points-tune").path()));
}

TEST_F(Runs, WhatAKilledTrainingLeftIsBroughtIn) {
  train("points");
  expect_ok({"runs"});
  LineAppender(project_.run("points").file("metrics.jsonl")).append(R"({"step":1000000,"train_loss":0.125})");
  expect_ok({"runs", "export", "--to", "all.jsonl"});
  EXPECT_EQ(parse_json(project_.read("all.jsonl"), "all.jsonl")["history"]["train_loss"].back(), Json({1000000, 0.125}));
}

TEST_F(Runs, TagsOfManyAtOnceAreAllKept) {
  train("points");
  std::vector<std::unique_ptr<Process>> processes;
  for (int i = 0; i < 12; ++i) processes.push_back(project_.start({"runs", "tag", "points", fmt::format("t{}", i)}));
  for (const auto& process : processes) EXPECT_EQ(process->wait().code, 0);
  EXPECT_EQ(json({"runs", "list"})["runs"][0]["tags"].size(), 12u);
  expect_refused(project_, {"runs", "tag", "points", std::string(300, 'x')}, kUsage, {"got a tag of 300 bytes"});
}

TEST_F(Runs, WordsThatNameNothingAreRefused) {
  train("points");
  expect_refused(project_, {"runs", "list", "--sort", "acuracy"}, kUsage, {"got \"acuracy\"", "did you mean \"accuracy\"?"});
  expect_refused(project_, {"runs", "list", "--show", "acuracy"}, kUsage, {"got \"acuracy\""});
  expect_refused(project_, {"runs", "list", "seconds<abc"}, kUsage, {"seconds<abc"});
  expect_refused(project_, {"runs", "list", "--limit", "18446744073709551615"}, kUsage, {"--limit"});
  expect_refused(project_, {"runs", "show", ""}, kUsage, {"empty name"});
  project_.write("runs/odd/run.json", "[]");
  expect_refused(project_, {"predict", "pionts", "points.csv"}, kFailed, {"did you mean \"points\"?"});
  project_.write("runs/points/run.json", "[]");
  expect_refused(project_, {"evaluate", "points"}, kFailed, {"run.json: got array; expected a JSON object"});
}

TEST_F(Runs, ARegistryThatIsLostIsBuiltAgain) {
  train("points");
  expect_ok({"runs", "tag", "points", "best"});
  const std::string before = json({"runs", "list"}).dump();
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(database().string() + suffix);
  EXPECT_EQ(json({"runs", "list"}).dump(), before);
}

TEST_F(Runs, ARegistryThatIsDamagedIsSetAsideAndBuiltAgain) {
  train("points");
  train("others");
  const std::string whole = read_file(database());
  Rng rng(3);
  for (int round = 0; round < 24; ++round) {
    SCOPED_TRACE(round);
    std::string bytes = whole;
    const size_t begin = round == 0 ? 0 : rng.below(bytes.size()), length = std::min(bytes.size() - begin, round % 2 == 0 ? size_t{64} : size_t{4096});
    for (size_t i = begin; i < begin + length; ++i) bytes[i] = static_cast<char>(~bytes[i]);
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(database().string() + suffix);
    write_file_atomic(database(), bytes);
    const Outcome list = project_.danlu({"runs", "list", "--log", "json"});
    EXPECT_EQ(list.code, 0) << list;
    train("points");
    const Outcome again = project_.danlu({"runs", "list"});
    EXPECT_EQ(again.code, 0) << again;
    EXPECT_THAT(again.out, HasSubstr("others  finished"));
    EXPECT_THAT(again.out, HasSubstr("points  finished"));
  }
}

TEST_F(Runs, ARegistryOfANewerVersionIsLeftAlone) {
  train("points");
  {
    const auto db = registry::open_sqlite(registry::Location(database().string()));
    db->atomically([&] { db->execute("UPDATE meta SET value = 99 WHERE name = 'version'", {}, {}); });
  }
  expect_refused(project_, {"runs"}, kUsage, {"version 99", "newer danlu"});
  const Outcome run = project_.danlu({"run", "--data", "points.csv", "--target", "kind", "--name", "later", "train.epochs=1"});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_THAT(run.err, HasSubstr("version 99"));
  EXPECT_EQ(project_.run("later").status(), "finished") << "a run does not depend on it";
}

TEST_F(Runs, AreListedWhereNothingCanBeWritten) {
  SmallDisk disk(project_ / "runs", 4096);
  if (!disk.is_mounted()) GTEST_SKIP() << "cannot mount a small file system: " << disk.reason();
  train("points");
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(database().string() + suffix);
  disk.make_read_only();
  const Outcome list = project_.danlu({"runs"});
  EXPECT_EQ(list.code, 0) << list;
  EXPECT_THAT(list.out, HasSubstr("points  finished"));
  EXPECT_THAT(list.err, HasSubstr("read from the run directories"));
  expect_refused(project_, {"train", "points"}, kFailed, {"Read-only file system"});
  EXPECT_EQ(project_.run("points").status(), "finished");
}

TEST_F(Runs, OneThatMakesNoSenseIsPassedOver) {
  train("points");
  for (const char* text : {"[]", "7", "{", "{\"kind\": 5}", "{\"training\": [1]}", "{\"name\": {}, \"training\": {\"weights_hash\": 3}, \"status\": []}", "\xff\xfe", ""}) {
    SCOPED_TRACE(text);
    project_.write("runs/strange/run.json", text);
    const Outcome list = project_.danlu({"runs"});
    EXPECT_EQ(list.code, 0) << list;
    EXPECT_THAT(list.out, HasSubstr("points"));
  }
  project_.write("runs/strange/run.json", R"({"name": "strange", "status": "finished", "started": "2026-11-23T10:00:00Z"})");
  for (const auto& [name, text] : {std::pair{"report.json", "[3]"}, {"report.json", "{\"metrics\": 3}"}, {"kfold.json", "\"x\""}, {"tags.json", "{\"a\": 1}"},
                                   {"metrics.jsonl", "{\"step\": \"a\"}\n[]\n{\"step\": 3, \"loss\": {}}\n"}, {"resolved.yaml", "{a: [b"}}) {
    SCOPED_TRACE(name);
    project_.write(fs::path("runs/strange") / name, text);
    const Outcome list = project_.danlu({"runs"});
    EXPECT_EQ(list.code, 0) << list;
    EXPECT_THAT(list.out, HasSubstr("points"));
    fs::remove(project_ / "runs/strange" / name);
  }
}

TEST_F(Runs, NoRunsLeaveNothingBehind) {
  EXPECT_TRUE(listed({}).empty());
  EXPECT_FALSE(fs::exists(project_ / "runs"));
}

TEST_F(Runs, FourAtOnceAreAllRegistered) {
  std::vector<std::unique_ptr<Process>> processes;
  for (int i = 0; i < 4; ++i) {
    processes.push_back(project_.start({"run", "--data", "points.csv", "--target", "kind", "--name", fmt::format("run-{}", i), "train.epochs=3"}));
  }
  for (const auto& process : processes) {
    const Outcome outcome = process->wait();
    EXPECT_EQ(outcome.code, 0) << outcome;
    EXPECT_THAT(outcome.err, Not(HasSubstr("warning")));
  }
  const auto db = registry::open_sqlite(registry::Location(database().string()));
  int64_t finished = 0;
  db->execute("SELECT count(*) FROM runs WHERE status = 'finished'", {}, [&](const registry::Row& row) { finished = row.integer(0); });
  EXPECT_EQ(finished, 4) << "by the runs themselves, before anybody lists them";
}

#ifdef DANLU_POSTGRESQL
TEST(TeamRegistry, RunsOfTwoDirectoriesInOneDatabase) {
  const auto server = PostgresqlServer::start();
  if (server == nullptr) GTEST_SKIP() << "PostgreSQL is not installed (Debian: apt-get install postgresql)";
  const Words environment = {"DANLU_REGISTRY=" + server->url()};
  const Project ada, bob;
  for (const Project* project : {&ada, &bob}) {
    project->write("points.csv", points_csv(60, project == &ada ? 3 : 4));
    const Outcome run = project->danlu({"run", "--data", "points.csv", "--target", "kind", "train.epochs=2"}, environment);
    EXPECT_EQ(run.code, 0) << run;
    EXPECT_THAT(run.err, Not(HasSubstr("warning")));
    EXPECT_FALSE(fs::exists(*project / "runs/danlu.db"));
  }
  const Outcome list = ada.danlu({"runs", "--log", "json"}, environment);
  const Json runs = parse_json(list.out, "list")["runs"];
  ASSERT_EQ(runs.size(), 2u) << list;
  std::string theirs;
  for (const Json& run : runs) {
    if (run["name"] != "points") theirs = run["name"];
  }
  EXPECT_THAT(theirs, testing::EndsWith((bob / "runs/points").string()));
  const Outcome compare = ada.danlu({"runs", "compare", "points", theirs}, environment);
  EXPECT_EQ(compare.code, 0) << compare;
  EXPECT_THAT(compare.out, HasSubstr("data_hash"));
  const Outcome show = ada.danlu({"runs", "show", theirs}, environment);
  EXPECT_EQ(show.code, 0) << show;
  EXPECT_THAT(show.out, HasSubstr("accuracy"));
  const Outcome remove = ada.danlu({"runs", "rm", theirs}, environment);
  EXPECT_EQ(remove.code, kUsage) << remove;
  EXPECT_THAT(remove.err, HasSubstr("do this there"));
  for (const Outcome* outcome : {&list, &compare, &show, &remove}) {
    EXPECT_THAT(outcome->out + outcome->err, Not(HasSubstr(PostgresqlServer::kPassword)));
  }
  for (const auto& [name, bytes] : ada.files("runs")) EXPECT_THAT(bytes, Not(HasSubstr(PostgresqlServer::kPassword))) << name;
}

TEST(TeamRegistry, OneThatDoesNotAnswerIsToldBeforeAnythingBegins) {
  const Project project;
  project.write("points.csv", points_csv(60));
  const Outcome run = project.danlu({"run", "--data", "points.csv", "--target", "kind", "--registry", "postgresql://ada:topsecret@127.0.0.1:1/runs"});
  EXPECT_EQ(run.code, kFailed) << run;
  EXPECT_THAT(run.err, HasSubstr("127.0.0.1"));
  EXPECT_THAT(run.err, Not(HasSubstr("topsecret")));
  EXPECT_FALSE(fs::exists(project / "runs"));
}

TEST(TeamRegistry, OneThatGoesAwayDoesNotStopARun) {
  const auto server = PostgresqlServer::start();
  if (server == nullptr) GTEST_SKIP() << "PostgreSQL is not installed (Debian: apt-get install postgresql)";
  const Project project;
  project.write("points.csv", points_csv(60));
  const auto process = project.start({"run", "--data", "points.csv", "--target", "kind", "train.epochs=1500", "train.early_stop=0"}, {"DANLU_REGISTRY=" + server->url()});
  const Timer timer;
  while (!fs::exists(project.run("points").file("metrics.jsonl")) && timer.seconds() < kPatience_s) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  server->stop();
  const Outcome outcome = process->wait();
  EXPECT_EQ(outcome.code, 0) << outcome;
  EXPECT_THAT(outcome.err, HasSubstr("the run goes on"));
  EXPECT_EQ(project.run("points").status(), "finished");
}
#endif

}  // namespace
}  // namespace danlu::test
