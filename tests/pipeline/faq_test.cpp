// Questions and answers from the file to the served dialogue.
#include <gmock/gmock.h>

#include "danlu/base/json.h"
#include "tests/client.h"
#include "tests/misuse/refusal.h"
#include "tests/program.h"
#include "tests/same_weights.h"

namespace danlu::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A shop for garden tools: each thing can be ordered, repaired, returned and cleaned, and people ask for that in several ways.
const char* const kThings[] = {"mower", "rake", "spade", "hose", "shears", "barrow", "sprinkler", "trowel", "ladder", "gloves", "axe", "saw"};
struct Deed {
  const char* verb;
  const char* gerund;
  const char* answer;
};
const Deed kDeeds[] = {{"order", "ordering", "Choose the {0} in our catalogue, put it into your basket, and pay by card or invoice. The {0} is sent within two days."},
                       {"repair", "repairing", "Bring the broken {0} to our workshop on Monday. We mend a {0} within a week and give a warranty of one year."},
                       {"return", "returning", "Send the {0} back within thirty days, with the receipt. The money for the {0} is refunded to your account."},
                       {"clean", "cleaning", "Brush the {0} with warm soapy water and let it dry in the shade. Never use a {0} that is wet."}};

std::string shop_csv() {
  std::string csv = "question,answer,url\n";
  for (const char* thing : kThings) {
    for (const Deed& deed : kDeeds) {
      const std::string answer = fmt::format(fmt::runtime(deed.answer), thing), url = fmt::format("https://shop.example/{}#{}", thing, deed.verb);
      for (const std::string& question : {fmt::format("How do I {} a {}?", deed.verb, thing), fmt::format("{}s, {}", thing, deed.gerund), fmt::format("{} my {}", deed.gerund, thing)}) {
        csv += fmt::format("\"{}\",\"{}\",{}\n", question, answer, url);
      }
    }
  }
  return csv;
}

const char* const kOffTopic =
    "question\nWho won the football match?\nWhat is the capital of Peru?\nWhich planet is the largest?\nHow old is the universe?\nWhen was the printing press invented?\n"
    "Where do penguins live?\nWho wrote Hamlet?\nWhat does a violin cost?\nHow many people live in Tokyo?\nIs coffee healthy?\nWhy is the sky blue?\nWhat are prime numbers?\n";

const char* const kRecipe = R"(
data: {source: shop.csv, faq: {off_topic: off_topic.csv}, split: {validation: 0.2, test: 0.2}}
tokenizer: {vocab_size: 600}
model: {type: retriever, encoder: {type: bag_of_tokens, width: 32}, dimension: 32}
train: {epochs: 15, optimizer: {type: adamw, lr: 5e-3}}
dialogue: {hand_over: A colleague will call you.}
notice: Of a shop that does not exist.
)";

class Faq : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    project_ = std::make_unique<Project>();
    project_->write("shop.csv", shop_csv());
    project_->write("off_topic.csv", kOffTopic);
    project_->write("shop.yaml", kRecipe);
    const Outcome run = project_->danlu({"run", "shop.yaml"});
    ASSERT_EQ(run.code, 0) << run;
  }
  static void TearDownTestSuite() { project_.reset(); }

  static Answer say(int port, const Json& body, const std::string& path = "/v1/dialogue") { return post(port, to_line(body), "application/json", path); }
  static void expect_error(const Answer& answer, int status, const std::string& code, const std::string& words) {
    EXPECT_EQ(answer.status, status) << answer.body;
    EXPECT_EQ(answer.json()["error"]["code"], code);
    EXPECT_THAT(answer.json()["error"]["message"].get<std::string>(), HasSubstr(words));
  }

  static inline std::unique_ptr<Project> project_;
};

TEST_F(Faq, IsMeasuredBesideAPlainSearch) {
  const Json report = read_json(project_->run("shop").file("report.json"));
  EXPECT_EQ(report["samples"], 29);
  EXPECT_GT(report["metrics"]["recall@1"]["value"].get<double>(), 0.8);
  EXPECT_GE(report["metrics"]["mrr"]["value"].get<double>(), report["rankings"]["BM25"]["mrr"]["value"].get<double>());
  EXPECT_GT(report["metrics"]["precision"]["value"].get<double>(), 0.75);
  EXPECT_LT(report["metrics"]["off_topic_coverage"]["value"].get<double>(), 0.3);
  EXPECT_THAT(project_->read("runs/shop/report.html"), HasSubstr("Beside a search by words"));
  EXPECT_THAT(project_->read("runs/shop/bundle/card.md"), HasSubstr("When a person takes over"));
  const Json split = read_json(project_->run("shop").file("split.json"));
  EXPECT_EQ(split["train"].size() + split["validation"].size() + split["test"].size(), 144u);
}

TEST_F(Faq, ThePageShowsTheRightAnswers) {
  const Json report = read_json(project_->run("shop").file("report.json"));
  const std::string page = project_->read("runs/shop/report.html");
  size_t without = 0, shown = 0;
  for (const Json& answer : report["answers"]) without += answer["right"].is_null();
  EXPECT_GT(report["answers"].size(), without);
  for (size_t at = page.find(">no answer<"); at != std::string::npos; at = page.find(">no answer<", at + 1)) ++shown;
  EXPECT_EQ(shown, without) << "of questions off topic alone";
}

TEST(FaqRecipes, TheResolvedOneIsARecipeWithWholePaths) {
  const Project elsewhere;
  elsewhere.write("shop.csv", shop_csv());
  elsewhere.write("off_topic.csv", kOffTopic);
  elsewhere.write("shop.yaml", kRecipe);
  ASSERT_EQ(elsewhere.danlu({"prepare", "shop.yaml", "data.faq.off_topic=${PLACE}/off_topic.csv"}, {"PLACE=."}).code, 0);
  EXPECT_THAT(elsewhere.read("runs/shop/resolved.yaml"), HasSubstr("./off_topic.csv"));
  elsewhere.write("again.yaml", elsewhere.read("runs/shop/resolved.yaml"));
  const Outcome again = elsewhere.danlu({"check", "again.yaml"});
  EXPECT_EQ(again.code, 0) << again;
}

TEST_F(Faq, AnswersCitesAndHandsOver) {
  const ServedModels server(*project_, {"shop"});
  const Json answer = say(server.port(), {{"message", "How do I repair a mower?"}}).json();
  EXPECT_THAT(answer["answer"].get<std::string>(), StartsWith("Bring the broken mower to our workshop"));
  EXPECT_EQ(answer["hand_over"], false);
  EXPECT_EQ(answer["sources"][0]["url"], "https://shop.example/mower#repair");
  EXPECT_EQ(answer["sources"][0]["question"], "How do I repair a mower?");
  EXPECT_EQ(answer["sources"][0]["confidence"], answer["confidence"]);
  EXPECT_EQ(answer["model"], "shop");
  EXPECT_EQ(answer["notice"], "Of a shop that does not exist.");
  for (const char* other : {"Who is the president of France?", "zxqv wvvk", "???", "and the"}) {
    SCOPED_TRACE(other);
    const Json handed_over = say(server.port(), {{"message", other}}).json();
    EXPECT_EQ(handed_over["hand_over"], true) << handed_over;
    EXPECT_EQ(handed_over["answer"], "A colleague will call you.");
    EXPECT_EQ(handed_over["sources"].size(), 3u);
  }
  const Json model = parse_json(get(server.port(), "/v1/models/shop").body, "models");
  EXPECT_EQ(model["answers"], 48);
  EXPECT_THAT(get(server.port(), "/metrics").body, HasSubstr("danlu_dialogue_answers_total{model=\"shop\",outcome=\"handed_over\"} 4"));
}

TEST_F(Faq, UnderstandsWhatFollowsThroughWhatWasAskedBefore) {
  const ServedModels server(*project_, {"shop"});
  const auto url = [](const Json& answer) { return answer["sources"][0]["url"].get<std::string>(); };
  const Json first = say(server.port(), {{"message", "How do I order a ladder?"}}).json();
  const std::string id = first["conversation"];
  EXPECT_EQ(url(first), "https://shop.example/ladder#order");
  const Json next = say(server.port(), {{"conversation", id}, {"message", "and how do I return it?"}}).json();
  EXPECT_EQ(url(next), "https://shop.example/ladder#return");
  EXPECT_EQ(next["conversation"], id);
  EXPECT_EQ(next["hand_over"], false) << next;
  EXPECT_EQ(url(say(server.port(), {{"conversation", id}, {"message", "what about cleaning?"}}).json()), "https://shop.example/ladder#clean");
  const Json other = say(server.port(), {{"conversation", id}, {"message", "How do I repair an axe?"}}).json();
  EXPECT_EQ(url(other), "https://shop.example/axe#repair") << "a new subject";
  EXPECT_EQ(say(server.port(), {{"conversation", id}, {"message", "Who is the president of France?"}}).json()["hand_over"], true) << "is not answered from the old one";

  const Json alone = say(server.port(), {{"message", "and how do I return it?"}}).json();
  EXPECT_NE(alone["conversation"], id);
  EXPECT_EQ(alone["hand_over"], true) << "nobody knows what it is: " << alone;
}

TEST_F(Faq, ConversationsAreOfOneModelAndForgotten) {
  const ServedModels server(*project_, {"shop", "other=shop"}, {"--max-conversations", "2"});
  const Json first = say(server.port(), {{"model", "shop"}, {"message", "How do I order a ladder?"}}).json();
  const Json question = {{"model", "other"}, {"conversation", first["conversation"]}, {"message", "and how do I return it?"}};
  expect_error(say(server.port(), question), 404, "conversation_not_found", "no such conversation");
  for (int i = 0; i < 2; ++i) say(server.port(), {{"model", "shop"}, {"message", "How do I order a rake?"}});
  expect_error(say(server.port(), {{"model", "shop"}, {"conversation", first["conversation"]}, {"message", "hose"}}), 404, "conversation_not_found", "begin a new one");
}

TEST_F(Faq, AnswersOpenAIsClients) {
  const ServedModels server(*project_, {"shop"});
  const std::string path = "/v1/chat/completions";
  const auto turn = [](const char* role, const std::string& text) { return Json{{"role", role}, {"content", text}}; };
  const Json whole = say(server.port(), {{"model", "shop"}, {"temperature", 0.2}, {"messages", {turn("system", "You are kind."), turn("user", "How do I order a ladder?")}}}, path).json();
  EXPECT_EQ(whole["object"], "chat.completion");
  const std::string content = whole["choices"][0]["message"]["content"];
  EXPECT_THAT(content, StartsWith("Choose the ladder in our catalogue"));
  EXPECT_THAT(content, HasSubstr("[1] How do I order a ladder?: https://shop.example/ladder#order"));
  EXPECT_EQ(whole["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(whole["danlu"]["hand_over"], false);

  const Json messages = {turn("user", "How do I order a ladder?"), turn("assistant", content), turn("user", "and how do I return it?")};
  const Json follows = say(server.port(), {{"messages", messages}}, path).json();
  EXPECT_EQ(follows["danlu"]["sources"][0]["url"], "https://shop.example/ladder#return");
  const std::string stream = say(server.port(), {{"messages", messages}, {"stream", true}}, path).body;
  EXPECT_THAT(stream, HasSubstr("Send the ladder back"));
  EXPECT_THAT(stream, HasSubstr("\"hand_over\":false"));
  EXPECT_THAT(stream, HasSubstr("data: [DONE]"));

  expect_error(say(server.port(), {{"messages", {turn("assistant", "Hello.")}}}, path), 400, "bad_value", "got none of the role \"user\"");
  expect_error(say(server.port(), {{"messages", Json::array()}}, path), 400, "empty", "messages is empty");
  expect_error(say(server.port(), {{"messages", messages}, {"n", 2}}, path), 400, "bad_value", "n: got 2");
  expect_error(say(server.port(), {{"model", "shop"}, {"prompt", "x"}}, "/v1/completions"), 400, "wrong_model", "a FAQ, asked by /v1/dialogue");
}

TEST_F(Faq, PredictAnswersAsTheServerDoes) {
  project_->write("questions.csv", "question,conversation\nHow do I order a ladder?,a\nHow do I clean a saw?,b\nand how do I return it?,a\nWho wrote Faust?,\nand how do I return it?,\n");
  const Outcome predicted = project_->danlu({"predict", "shop", "questions.csv"});
  ASSERT_EQ(predicted.code, 0) << predicted;
  const Words lines = lines_of(predicted.out);
  ASSERT_EQ(lines.size(), 5u);
  const ServedModels server(*project_, {"shop"});
  const Json first = say(server.port(), {{"message", "How do I order a ladder?"}}).json();
  std::vector<Json> answers = {first, say(server.port(), {{"message", "How do I clean a saw?"}}).json(), say(server.port(), {{"message", "and how do I return it?"}, {"conversation", first["conversation"]}}).json(),
                               say(server.port(), {{"message", "Who wrote Faust?"}}).json(), say(server.port(), {{"message", "and how do I return it?"}}).json()};
  for (size_t i = 0; i < lines.size(); ++i) {
    Json line = parse_json(lines[i], "line");
    for (const char* key : {"line", "question"}) line.erase(key);
    for (const char* key : {"model", "conversation"}) answers[i].erase(key);
    EXPECT_EQ(line, answers[i]);
  }
  ASSERT_EQ(project_->danlu({"predict", "shop", "questions.csv", "-o", "answers.csv"}).code, 0);
  EXPECT_THAT(lines_of(project_->read("answers.csv"))[1], StartsWith("2,How do I order a ladder?,false,"));
}

TEST_F(Faq, RefusesWhatIsNoQuestion) {
  const ServedModels server(*project_, {"shop"});
  const int port = server.port();
  expect_error(say(port, Json::object()), 400, "missing", "message is missing");
  expect_error(say(port, {{"message", ""}}), 400, "bad_value", "got an empty question");
  expect_error(say(port, {{"message", " \t\n"}}), 400, "bad_value", "got an empty question");
  expect_error(say(port, {{"message", 3}}), 400, "wrong_type", "message is number; expected a string");
  expect_error(say(port, {{"message", std::string(5000, 'x')}}), 413, "too_long", "got 5000 bytes; expected at most 4000");
  expect_error(post(port, "{\"message\": \"\xff\xfe\"}", "application/json", "/v1/dialogue"), 400, "bad_json", "");
  expect_error(post(port, "{", "application/json", "/v1/dialogue"), 400, "bad_json", "");
  expect_error(say(port, {{"message", "x"}, {"conversation", "nobody's"}}), 404, "conversation_not_found", "");
  expect_error(say(port, {{"message", "x"}, {"model", "shp"}}), 404, "model_not_found", "did you mean \"shop\"?");
  expect_error(say(port, {{"rows", Json::array({{{"x", 1}}})}}, "/v1/predict?model=shop"), 400, "wrong_model", "a FAQ");
  EXPECT_EQ(say(port, {{"message", "How do I order a ladder?"}}).status, 200);

  project_->write("empty.csv", "question\nWho?\n\"  \"\n");
  expect_refused(*project_, {"predict", "shop", "empty.csv"}, kFailed, {"empty.csv:3 column \"question\": got an empty question"});
  project_->write("other.csv", "text\nWho?\n");
  expect_refused(*project_, {"predict", "shop", "other.csv"}, kFailed, {"other.csv", "question"});
  project_->write("latin1.csv", "question\nWo ist \xfc" "ber?\n");
  expect_refused(*project_, {"predict", "shop", "latin1.csv"}, kFailed, {"UTF-8"});
}

TEST(FaqTraining, TheSameWeightsForOneAndTwoThreadsAndAfterAnInterruption) {
  const Project project;
  project.write("shop.csv", shop_csv());
  project.write("off_topic.csv", kOffTopic);
  project.write("shop.yaml", kRecipe);
  expect_same_weights(project, {"run", "shop.yaml", "train.save_every=1"}, "shop");
}

TEST(FaqMisuse, DataThatCannotAnswer) {
  const Project project;
  project.write("shop.yaml", kRecipe);
  project.write("off_topic.csv", kOffTopic);
  const Words run = {"run", "shop.yaml"};
  project.write("shop.csv", "question,answer\n");
  expect_refused(project, run, kFailed, {"got a header and no rows"});
  project.write("shop.csv", "question,answer\nHow?,\n");
  expect_refused(project, run, kFailed, {"shop.csv:2 column \"answer\": got nothing; expected an answer"});
  project.write("shop.csv", "question,answer\nHow?,So.\nhow?,Thus.\n");
  expect_refused(project, run, kFailed, {"shop.csv:3", "which line 2 answers otherwise", "on_bad_row"});
  project.write("shop.csv", "question,answer\nHow?,So.\n");
  expect_refused(project, run, kUsage, {"data.split"});
  project.write("shop.csv", "question,answer\nW\xf6?,So.\n");
  expect_refused(project, run, kFailed, {"UTF-8"});
  project.write("shop.csv", shop_csv());
  expect_refused(project, {"run", "shop.yaml", "data.faq.off_topic=none.csv"}, kFailed, {"data.faq.off_topic: there is no none.csv", "a table with a column \"question\""});
  project.write("long.csv", "question\nWho?\n" + std::string(4001, 'x') + "\n");
  expect_refused(project, {"check", "shop.yaml", "data.faq.off_topic=long.csv"}, kFailed, {"long.csv:3 column \"question\": got a question of 4001 bytes; expected at most 4000"});
  project.write("long.csv", "question,answer\nHow?,So.\n" + std::string(4001, 'x') + ",Thus.\n");
  expect_refused(project, {"check", "shop.yaml", "data.source=long.csv"}, kFailed, {"long.csv:3 column \"question\": got a question of 4001 bytes"});
  expect_refused(project, {"run", "shop.yaml", "data.split.validation=0"}, kUsage, {"data.split: got none for validation or test"});
  expect_refused(project, {"run", "shop.yaml", "model.encoder=cnn"}, kUsage, {"model.encoder: got cnn; expected a model that reads text"});
  expect_refused(project, {"run", "shop.yaml", "evaluate.gates={accuracy: 0.9}"}, kUsage, {"accuracy"});
  expect_refused(project, {"run", "shop.yaml", "dialogue.precision=2"}, kUsage, {"dialogue.precision"});
  expect_refused(project, {"run", "shop.yaml", "train.label_smoothing=0.1"}, kUsage, {"train.label_smoothing: got 0.1; expected none: a recipe of FAQs does not read it"});
}

TEST(FaqMisuse, AGateOnQuestionsOffTopicNeedsSomeToMeasure) {
  const Project project;
  project.write("shop.yaml", std::string(kRecipe) + "evaluate: {gates: {off_topic_coverage: 0.5}}\n");
  project.write("shop.csv", shop_csv());
  // Which half a question is in depends on its words: of some questions, each alone, some are there to measure and some are not.
  int refused = 0, taken = 0;
  for (const char* question : {"Who won?", "Where is Peru?", "What is time?", "Why?", "When was it?", "Is it far?"}) {
    project.write("off_topic.csv", fmt::format("question\n{}\n", question));
    const Outcome checked = project.danlu({"check", "shop.yaml"});
    if (checked.code == 0) {
      ++taken;
      EXPECT_THAT(checked.out, HasSubstr("too few to tell"));
    } else {
      ++refused;
      EXPECT_EQ(checked.code, kUsage);
      EXPECT_THAT(checked.err, HasSubstr("off_topic_coverage"));
      EXPECT_THAT(checked.err, HasSubstr("none is left to measure"));
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(taken, 0);
}

TEST(FaqMisuse, APrecisionThatNoConfidenceReachesIsTold) {
  const Project project;
  std::string csv = "question,answer\n";
  for (int i = 0; i < 60; ++i) csv += fmt::format("alpha {},beta gamma {}\n", i * 7919 % 1000, i * 104729 % 1000);  // nothing in a question points to its answer
  project.write("riddles.csv", csv);
  project.write("riddles.yaml", "data: {source: riddles.csv, faq: {}, split: {validation: 0.3, test: 0.2}}\ntokenizer: {vocab_size: 300}\ntrain: {epochs: 1}\ndialogue: {precision: 0.9}\n");
  const Outcome run = project.danlu({"run", "riddles.yaml"});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_THAT(run.err, HasSubstr("dialogue.precision: 0.9 is out of reach"));
}

TEST(FaqMisuse, AFewQuestionsAreEnoughToBegin) {
  const Project project;
  project.write("few.csv", "question,answer\nHow do I pay?,By card.\nWhere is my parcel?,Look at its number.\nWho are you?,A shop.\nWhen do you open?,At nine.\nCan I call you?,Yes.\n");
  project.write("few.yaml", "data: {source: few.csv, faq: {}, split: {validation: 0.2, test: 0.2}}\ntrain: {epochs: 2}\n");
  const Outcome run = project.danlu({"run", "few.yaml"});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_THAT(run.out + run.err, HasSubstr("no questions off topic"));
}

}  // namespace
}  // namespace danlu::test
