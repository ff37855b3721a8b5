// A FAQ of eight questions over real sockets. That trained ones answer well is for tests/pipeline/faq_test.cpp to say.
#include "danlu/serve/dialogue_service.h"

#include <gmock/gmock.h>
#include <httplib.h>

#include <memory>
#include <string>
#include <vector>

#include "danlu/base/temporary_directory.h"
#include "danlu/data/text/bpe_trainer.h"
#include "danlu/serve/server.h"

namespace danlu::serve {
namespace {

using testing::HasSubstr;

// By the words of the questions alone.
infer::Answerer answerer() {
  std::vector<data::FaqEntry> entries;
  for (const std::string thing : {"ladder", "rake", "hose", "saw"}) {
    for (const std::string what : {"order", "return"}) entries.push_back({thing + " " + what, {"How do I " + what + " a " + thing + "?"}, "How to " + what + " a " + thing + ".", ""});
  }
  const data::Faq faq(entries);
  data::BpeTrainer trainer({.vocab_size = 300, .min_frequency = 2, .pattern = "gpt2", .special_tokens = {}});
  for (const data::FaqEntry& entry : faq.entries()) trainer.add(entry.answer);
  const data::TextTokens tokens(data::Tokenizer(trainer.train()), 32);
  const Json model = {{"type", "retriever"}, {"dimension", 4}, {"encoder", {{"type", "bag_of_tokens"}, {"width", 4}}}};
  const auto retriever = models::make_retriever(model, tokens.vocab_size(), tokens.length());
  infer::AnswererBundle bundle;
  bundle.name = "shop";
  bundle.hand_over = "A colleague will call you.";
  bundle.model = model;
  bundle.decision = {{12, 0, 0, 4}, 0.5, 0.5};
  const TemporaryDirectory directory;
  infer::write_answerer(directory.path(), bundle, *retriever, faq, tokens);
  return infer::Answerer(directory.path());
}

Json turn(const char* role, const std::string& text) { return {{"role", role}, {"content", text}}; }

class DialogueServiceTest : public testing::Test {
 protected:
  DialogueServiceTest() : server_(options()) {
    server_.add_model("shop", answerer());
    server_.start();
  }

  struct Reply {
    int status = 0;
    Json json;
  };
  Reply say(const Json& body, const std::string& path = "/v1/dialogue") const {
    const auto answer = httplib::Client("127.0.0.1", server_.port()).Post(path, body.dump(), "application/json");
    return answer ? Reply{answer->status, parse_json(answer->body, "answer")} : Reply{};
  }
  Reply chat(const Json& messages) const { return say({{"messages", messages}}, "/v1/chat/completions"); }

 private:
  static ServeOptions options() {
    ServeOptions options;
    options.http.port = 0;
    return options;
  }
  Server server_;
};

TEST_F(DialogueServiceTest, AChatSaysWhatADialogueWithTheSameTurnsDoes) {
  const Json first = say({{"message", "How do I order a ladder?"}}).json;
  EXPECT_EQ(first["sources"][0]["id"], "ladder order") << first;
  Json next = say({{"message", "and how do I return it?"}, {"conversation", first["conversation"]}}).json;
  EXPECT_EQ(next["sources"][0]["id"], "ladder return") << next;
  const Json chatted = chat({turn("user", "How do I order a ladder?"), turn("assistant", "So."), turn("user", "and how do I return it?")}).json;
  for (const char* key : {"hand_over", "confidence", "sources"}) EXPECT_EQ(chatted["danlu"][key], next[key]) << key;
}

// A message that would have been refused is nothing to lean on: its words would cost seconds, and doubt.
TEST_F(DialogueServiceTest, AChatPassesOverEarlierMessagesThatAreTooLong) {
  std::string endless;
  for (int64_t i = 0; endless.size() < 1'000'000; ++i) endless += "word" + std::to_string(i) + " ";
  const Json asked = turn("user", "How do I order a ladder?"), follows = turn("user", "and how do I return it?");
  const Reply without = chat({asked, follows}), with = chat({asked, turn("user", endless), follows});
  ASSERT_EQ(with.status, 200) << with.json;
  EXPECT_EQ(with.json["danlu"], without.json["danlu"]);

  const Reply refused = chat({asked, turn("user", endless)});
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.json["error"]["param"], "messages[1].content");
  EXPECT_THAT(refused.json["error"]["message"].get<std::string>(), HasSubstr("expected at most 4000"));
}

}  // namespace
}  // namespace danlu::serve
