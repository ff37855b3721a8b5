// The doors of language models over real sockets.
#include "danlu/serve/openai/text_service.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <thread>

#include "danlu/base/timer.h"
#include "danlu/base/utf8.h"
#include "danlu/serve/openai/testing.h"
#include "danlu/serve/server.h"
#include "danlu/serve/testing.h"

namespace danlu::serve {
namespace {

using namespace std::chrono_literals;

class TextServiceTest : public testing::Test {
 protected:
  void start(ServeOptions options = {}, const std::string& chat_template = "") {
    options.http.port = 0;
    options.batch.threads = 1;
    server_ = std::make_unique<Server>(options);
    server_->add_model("tiny", tiny_language_model(chat_template));
    server_->start();
  }

  struct Reply {
    int status = 0;
    std::string body;
    Json json() const { return parse_json(body, "answer"); }
  };
  Reply post(const std::string& path, const Json& request) const { return post_text(path, request.dump()); }
  Reply post_text(const std::string& path, const std::string& body) const {
    httplib::Client client("127.0.0.1", server_->port());
    const auto answer = client.Post(path, body, "application/json");
    return answer ? Reply{answer->status, answer->body} : Reply{};
  }
  Reply get(const std::string& path) const {
    httplib::Client client("127.0.0.1", server_->port());
    const auto answer = client.Get(path);
    return answer ? Reply{answer->status, answer->body} : Reply{};
  }
  Json complete(const Json& request) const {
    const Reply reply = post("/v1/completions", request);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.status == 200 ? reply.json() : Json{{"choices", Json::array()}};
  }
  Json chat(const Json& request) const {
    const Reply reply = post("/v1/chat/completions", request);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.status == 200 ? reply.json() : Json{{"choices", Json::array()}};
  }

  // The chunks of a stream; the last event must be [DONE].
  std::vector<Json> stream(const std::string& path, Json request) const {
    request["stream"] = true;
    const Reply reply = post(path, request);
    EXPECT_EQ(reply.status, 200) << reply.body;
    std::vector<Json> chunks;
    bool done = false;
    for (size_t begin = 0; begin < reply.body.size();) {
      const size_t end = reply.body.find("\n\n", begin);
      const std::string event = reply.body.substr(begin, end - begin);
      EXPECT_TRUE(event.starts_with("data: ")) << event;
      EXPECT_FALSE(done) << "something after [DONE]";
      done = event == "data: [DONE]";
      if (!done) chunks.push_back(parse_json(event.substr(6), "chunk"));
      begin = end + 2;
    }
    EXPECT_TRUE(done) << reply.body;
    return chunks;
  }

  double metric(const std::string& line) const {
    const std::string text = "\n" + get("/metrics").body;
    const size_t at = text.find("\n" + line + " ");
    return at == std::string::npos ? NAN : std::stod(text.substr(at + line.size() + 2));
  }
  void wait_for_metric(const std::string& line, double value) const {
    const Timer timer;
    while (metric(line) != value && timer.seconds() < 10) std::this_thread::sleep_for(5ms);
    EXPECT_EQ(metric(line), value) << line;
  }

  std::unique_ptr<Server> server_;
};

// --- completions

TEST_F(TextServiceTest, CompletesAPrompt) {
  start();
  const Json answer = complete({{"model", "tiny"}, {"prompt", "The sky is"}, {"max_tokens", 5}, {"ignore_eos", true}});
  EXPECT_TRUE(answer["id"].get<std::string>().starts_with("cmpl-"));
  EXPECT_EQ(answer["object"], "text_completion");
  EXPECT_EQ(answer["model"], "tiny");
  EXPECT_GT(answer["created"], 1'600'000'000);
  ASSERT_EQ(answer["choices"].size(), 1u);
  EXPECT_EQ(answer["choices"][0]["index"], 0);
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "length");
  EXPECT_TRUE(answer["choices"][0]["logprobs"].is_null());
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 10);
  EXPECT_EQ(answer["usage"]["completion_tokens"], 5);
  EXPECT_EQ(answer["usage"]["total_tokens"], 15);
}

TEST_F(TextServiceTest, TakesPromptsOfEveryForm) {
  start();
  const auto texts = [&](const Json& prompt) {
    const Json answer = complete({{"prompt", prompt}, {"max_tokens", 6}, {"temperature", 0}});
    std::vector<std::string> result;
    for (const Json& choice : answer["choices"]) {
      EXPECT_EQ(choice["index"], result.size());
      result.push_back(choice["text"]);
    }
    return result;
  };
  const std::vector<std::string> both = texts({"ab", "xyz"});
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(texts("ab"), (std::vector<std::string>{both[0]}));
  EXPECT_EQ(texts(Json::parse("[97, 98]")), (std::vector<std::string>{both[0]}));
  EXPECT_EQ(texts(Json::parse("[[97, 98], [120, 121, 122]]")), both);
  EXPECT_EQ(texts("").size(), 1u) << "an empty text follows the end of another";
}

TEST_F(TextServiceTest, SeveralAnswersAndSeeds) {
  start();
  const Json request{{"prompt", {"ab", "cd"}}, {"n", 3}, {"seed", 7}, {"max_tokens", 12}, {"temperature", 1.5}};
  const Json answer = complete(request);
  ASSERT_EQ(answer["choices"].size(), 6u);
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 4) << "the answers to a prompt share it";
  EXPECT_EQ(complete(request)["choices"], answer["choices"]) << "the same seed, the same answers";
  EXPECT_NE(answer["choices"][0]["text"], answer["choices"][1]["text"]);
  const Json second = complete({{"prompt", "cd"}, {"seed", 8}, {"max_tokens", 12}, {"temperature", 1.5}});
  EXPECT_EQ(second["choices"][0]["text"], answer["choices"][4]["text"]) << "answer i draws with seed + i";
}

TEST_F(TextServiceTest, StopsBeforeAStopString) {
  start();
  Json request{{"prompt", "abc"}, {"max_tokens", 40}, {"seed", 1}, {"logit_bias", Json::object()}};
  for (int letter = 'a'; letter <= 'z'; ++letter) request["logit_bias"][std::to_string(letter)] = 60;
  const std::string text = complete(request)["choices"][0]["text"];
  ASSERT_EQ(text.size(), 40u) << text;
  const std::string stop = text.substr(20, 3);
  request["stop"] = {"NEVER", stop, ""};
  const Json stopped = complete(request)["choices"][0];
  EXPECT_EQ(stopped["text"], text.substr(0, text.find(stop)));
  EXPECT_EQ(stopped["finish_reason"], "stop");
  std::string streamed;
  for (const Json& chunk : stream("/v1/completions", request)) streamed += chunk["choices"][0]["text"];
  EXPECT_EQ(streamed, stopped["text"]) << "nothing of the stop string was shown";
}

TEST_F(TextServiceTest, LogitBiasForcesAToken) {
  start();
  const Json answer =
      complete({{"prompt", "abc"}, {"max_tokens", 3}, {"temperature", 0}, {"logit_bias", {{"90", 100}, {"91", -5.5}}}});
  EXPECT_EQ(answer["choices"][0]["text"], "ZZZ");
}

// --- what evaluation programs read

TEST_F(TextServiceTest, EchoScoresThePromptAsTheNetworkDoes) {
  start();
  const std::string prompt = "h\u00e9llo \u4f60!";  // 8 characters, 11 bytes, a token each
  const Json answer = complete(
      {{"prompt", prompt}, {"max_tokens", 1}, {"echo", true}, {"logprobs", 1}, {"temperature", 0}, {"seed", 1234}});
  const Json& choice = answer["choices"][0];
  const Json& lists = choice["logprobs"];
  ASSERT_EQ(lists["tokens"].size(), 12u) << "all of the prompt and the one generated";
  for (const char* name : {"token_logprobs", "top_logprobs", "text_offset"}) EXPECT_EQ(lists[name].size(), 12u) << name;
  EXPECT_TRUE(choice["text"].get<std::string>().starts_with(prompt));
  EXPECT_EQ(lists["text_offset"], Json({0, 1, 1, 2, 3, 4, 5, 6, 6, 6, 7, 8})) << "in characters";
  EXPECT_EQ(lists["tokens"][0], "h");
  EXPECT_EQ(lists["tokens"][1], "bytes:\\xc3");
  EXPECT_TRUE(lists["token_logprobs"][0].is_null());
  EXPECT_TRUE(lists["top_logprobs"][0].is_null());

  const auto model = tiny_language_model();
  const NoGrad no_grad;
  std::vector<int64_t> ids;
  for (const char byte : prompt) ids.push_back(static_cast<unsigned char>(byte));
  const Tensor logits =
      model->network->forward(Tensor::from({1, static_cast<int64_t>(ids.size())}, std::span<const int64_t>(ids)));
  for (size_t i = 0; i + 1 < ids.size(); ++i) {
    const auto row = logits.span().subspan(i * 259, 259);
    double sum = 0;
    for (const float x : row) sum += std::exp(static_cast<double>(x));
    const double expected = static_cast<double>(row[static_cast<size_t>(ids[i + 1])]) - std::log(sum);
    EXPECT_NEAR(lists["token_logprobs"][i + 1].get<double>(), expected, 1e-4) << i;
    const bool greedy = std::max_element(row.begin(), row.end()) - row.begin() == ids[i + 1];
    const Json& top = lists["top_logprobs"][i + 1];
    double best = -INFINITY;
    for (const auto& [token, logprob] : top.items()) best = std::max(best, logprob.get<double>());
    EXPECT_EQ(lists["token_logprobs"][i + 1].get<double>() == best, greedy) << i;
    EXPECT_EQ(top[lists["tokens"][i + 1].get<std::string>()], lists["token_logprobs"][i + 1]);
    EXPECT_EQ(top.size(), greedy ? 1u : 2u);
  }
}

TEST_F(TextServiceTest, GreedyTokensAreTheBestByExactEquality) {
  start();
  const Json written =
      complete({{"prompt", "abc"}, {"max_tokens", 20}, {"temperature", 0}, {"ignore_eos", true}, {"logprobs", 0}});
  Json ids = Json::parse("[97, 98, 99]");
  for (const Json& token : written["choices"][0]["logprobs"]["tokens"]) {
    const std::string text = token;
    ids.push_back(text.starts_with("bytes:\\x") ? std::stoi(text.substr(8), nullptr, 16)
                  : text.size() == 1            ? static_cast<unsigned char>(text[0])
                                                : 256);
    ASSERT_NE(ids.back(), 256) << "a special token was drawn: its text does not give its id; take another prompt";
  }
  const Json scored = complete(
      {{"prompt", Json::array({ids})}, {"max_tokens", 1}, {"echo", true}, {"logprobs", 3}, {"temperature", 0}});
  const Json& lists = scored["choices"][0]["logprobs"];
  ASSERT_EQ(lists["tokens"].size(), 24u);
  for (size_t i = 3; i < 23; ++i) {
    double best = -INFINITY;
    for (const auto& [token, logprob] : lists["top_logprobs"][i].items()) best = std::max(best, logprob.get<double>());
    EXPECT_EQ(lists["token_logprobs"][i].get<double>(), best) << i;
    EXPECT_NEAR(best, written["choices"][0]["logprobs"]["token_logprobs"][i - 3].get<double>(), 1e-4);
    EXPECT_GE(lists["top_logprobs"][i].size(), 3u);
  }
}

TEST_F(TextServiceTest, OffsetsOfBytesThatAreNoCharacters) {
  start();
  const auto offsets = [&](const std::string& ids) {
    const Json request{{"prompt", Json::parse(ids)}, {"max_tokens", 0}, {"echo", true}, {"logprobs", 0}};
    return complete(request)["choices"][0]["logprobs"]["text_offset"];
  };
  EXPECT_EQ(offsets("[97, 160, 160, 98]"), Json({0, 1, 2, 3})) << "each stray byte is shown as one U+FFFD";
  EXPECT_EQ(offsets("[230, 156, 98, 230, 156, 136, 136]"), Json({0, 0, 1, 2, 2, 2, 3}));
  EXPECT_EQ(offsets("[97, 256, 98]"), Json({0, 1, 1})) << "special tokens have no text";
}

TEST_F(TextServiceTest, MaxTokensZeroOnlyScores) {
  start();
  const Json answer = complete({{"prompt", {"ab", "abcd"}}, {"max_tokens", 0}, {"echo", true}, {"logprobs", 0}});
  EXPECT_EQ(answer["choices"][0]["text"], "ab");
  EXPECT_EQ(answer["choices"][0]["logprobs"]["tokens"], Json({"a", "b"}));
  EXPECT_EQ(answer["choices"][1]["logprobs"]["tokens"].size(), 4u);
  EXPECT_EQ(answer["choices"][1]["finish_reason"], "length");
  EXPECT_EQ(answer["usage"]["completion_tokens"], 0);
}

TEST_F(TextServiceTest, ALongListOfPromptsIsWorkedOff) {
  ServeOptions options;
  options.batch.queue_capacity = 4;
  start(options);
  Json prompts = Json::array();
  for (int i = 0; i < 150; ++i) prompts.push_back(std::string(static_cast<size_t>(1 + i % 17), 'x'));
  const Json answer =
      complete({{"prompt", prompts}, {"max_tokens", 1}, {"echo", true}, {"logprobs", 1}, {"temperature", 0}});
  ASSERT_EQ(answer["choices"].size(), 150u);
  for (size_t i = 0; i < 150; ++i) {
    EXPECT_EQ(answer["choices"][i]["logprobs"]["tokens"].size(), 2 + i % 17) << i;
  }
}

// --- streams

TEST_F(TextServiceTest, AStreamSaysWhatAWholeAnswerSays) {
  start();
  const Json request{{"prompt", {"ab", "c"}},
                     {"n", 2},
                     {"seed", 3},
                     {"max_tokens", 60},
                     {"temperature", 1.2},
                     {"logprobs", 2},
                     {"echo", true},
                     {"ignore_eos", true},
                     {"stream_options", {{"include_usage", true}}}};
  const Json whole = complete(request);
  std::vector<Json> chunks = stream("/v1/completions", request);
  ASSERT_GT(chunks.size(), 20u);
  EXPECT_EQ(chunks.back()["choices"], Json::array());
  EXPECT_EQ(chunks.back()["usage"]["completion_tokens"], 240);
  EXPECT_EQ(chunks.back()["usage"]["prompt_tokens"], 3);
  chunks.pop_back();
  std::vector<std::string> texts(4), finishes(4);
  std::vector<Json> lists(4, Json::object());
  for (const Json& chunk : chunks) {
    EXPECT_TRUE(chunk.at("usage").is_null());
    EXPECT_EQ(chunk["id"], chunks[0]["id"]);
    ASSERT_EQ(chunk["choices"].size(), 1u);
    const Json& choice = chunk["choices"][0];
    const size_t i = choice["index"];
    EXPECT_EQ(finishes[i], "") << "a chunk after the last";
    EXPECT_TRUE(is_utf8(choice["text"].get<std::string>()));
    texts[i] += choice["text"];
    if (!choice["finish_reason"].is_null()) finishes[i] = choice["finish_reason"];
    for (const auto& [name, list] : choice["logprobs"].items()) {
      for (const Json& element : list) lists[i][name].push_back(element);
    }
  }
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(texts[i], whole["choices"][i]["text"]);
    EXPECT_EQ(lists[i], whole["choices"][i]["logprobs"]);
    EXPECT_EQ(finishes[i], "length");
  }
}

TEST_F(TextServiceTest, EightStreamsAtOnceAreAsEachAlone) {
  start();
  const auto ask = [&](int i) {
    std::string text;
    for (const Json& chunk :
         stream("/v1/completions",
                {{"prompt", "prompt " + std::to_string(i)}, {"max_tokens", 50}, {"seed", i}, {"ignore_eos", true}})) {
      text += chunk["choices"][0]["text"];
    }
    return text;
  };
  std::vector<std::string> alone;
  for (int i = 0; i < 8; ++i) alone.push_back(ask(i));
  std::vector<std::future<std::string>> together;
  for (int i = 0; i < 8; ++i) together.push_back(std::async(std::launch::async, ask, i));
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(together[i].get(), alone[i]);
}

TEST_F(TextServiceTest, AClientThatLeavesEndsTheGeneration) {
  start();
  const std::string body =
      Json{{"prompt", "x"}, {"max_tokens", 2000}, {"ignore_eos", true}, {"n", 4}, {"stream", true}}.dump();
  for (const bool streams : {true, false}) {
    Json request = Json::parse(body);
    request["stream"] = streams;
    request["n"] = 64;
    const double before = metric("danlu_generated_tokens_total{model=\"tiny\"}");
    {
      RawClient client(server_->port());
      const std::string text = request.dump();
      client.send("POST /v1/completions HTTP/1.1\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" +
                  text);
      const Timer timer;
      while (metric("danlu_generated_tokens_total{model=\"tiny\"}") < before + 20 && timer.seconds() < 10) {
        std::this_thread::sleep_for(1ms);
      }
    }
    wait_for_metric("danlu_sequences_running{model=\"tiny\"}", 0);
    wait_for_metric("danlu_sequences_waiting{model=\"tiny\"}", 0);
    EXPECT_LT(metric("danlu_generated_tokens_total{model=\"tiny\"}") - before, 64 * 2000 - 1) << "not all was written";
  }
}

TEST_F(TextServiceTest, AFullQueueIsA429) {
  ServeOptions options;
  options.batch.queue_capacity = 1;
  options.generation.max_sequences = 1;
  start(options);
  const std::string text = Json{{"prompt", "x"}, {"max_tokens", 2040}, {"ignore_eos", true}}.dump();
  const std::string request =
      "POST /v1/completions HTTP/1.1\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
  RawClient first(server_->port());
  first.send(request);
  wait_for_metric("danlu_sequences_running{model=\"tiny\"}", 1);
  RawClient second(server_->port());
  second.send(request);
  wait_for_metric("danlu_sequences_waiting{model=\"tiny\"}", 1);
  const Reply refused = post("/v1/completions", {{"prompt", "y"}});
  EXPECT_EQ(refused.status, 429) << refused.body;
  EXPECT_EQ(refused.json()["error"]["type"], "rate_limit_error");
}

TEST_F(TextServiceTest, MetricsCountTokens) {
  start();
  complete({{"prompt", "abcde"}, {"max_tokens", 7}, {"ignore_eos", true}});
  EXPECT_EQ(metric("danlu_prompt_tokens_total{model=\"tiny\"}"), 5);
  EXPECT_EQ(metric("danlu_generated_tokens_total{model=\"tiny\"}"), 7);
  EXPECT_EQ(metric("danlu_time_to_first_token_seconds_count{model=\"tiny\"}"), 1);
}

// --- chats

Json messages(const std::string& content) { return Json::array({{{"role", "user"}, {"content", content}}}); }

TEST_F(TextServiceTest, Chats) {
  start();
  const Json request{{"messages", messages("Hi")}, {"max_tokens", 30}, {"seed", 5},
                     {"ignore_eos", true},         {"logprobs", true}, {"top_logprobs", 2}};
  const Json whole = chat(request);
  EXPECT_EQ(whole["object"], "chat.completion");
  EXPECT_TRUE(whole["id"].get<std::string>().starts_with("chatcmpl-"));
  const Json& choice = whole["choices"][0];
  EXPECT_EQ(choice["message"]["role"], "assistant");
  EXPECT_EQ(choice["finish_reason"], "length");
  EXPECT_EQ(whole["usage"]["prompt_tokens"], 21) << "2 beginnings, 1 end, user\\nHi\\nassistant\\n";
  ASSERT_EQ(choice["logprobs"]["content"].size(), 30u);
  const Json& token = choice["logprobs"]["content"][0];
  EXPECT_EQ(token["top_logprobs"].size(), 2u);
  EXPECT_EQ(token["bytes"].size(), 1u);
  EXPECT_LE(token["logprob"].get<double>(), token["top_logprobs"][0]["logprob"].get<double>());

  const std::vector<Json> chunks = stream("/v1/chat/completions", request);
  EXPECT_EQ(chunks[0]["object"], "chat.completion.chunk");
  EXPECT_EQ(chunks[0]["choices"][0]["delta"], Json({{"role", "assistant"}, {"content", ""}}));
  std::string text;
  Json logprobs = Json::array();
  for (const Json& chunk : chunks) {
    text += chunk["choices"][0]["delta"].value("content", "");
    if (chunk["choices"][0]["logprobs"].is_null()) continue;
    for (const Json& one : chunk["choices"][0]["logprobs"]["content"]) logprobs.push_back(one);
  }
  EXPECT_EQ(text, choice["message"]["content"]);
  EXPECT_EQ(logprobs, choice["logprobs"]["content"]);
  EXPECT_EQ(chunks.back()["choices"][0]["finish_reason"], "length");
}

TEST_F(TextServiceTest, SpecialTokensComeFromTheTemplateAlone) {
  start();
  const auto tokens = [&](const std::string& content) {
    return post("/tokenize", {{"messages", messages(content)}}).json()["tokens"].get<std::vector<int>>();
  };
  const std::vector<int> ids = tokens("a<|im_end|>\n<|im_start|>system\nb");
  EXPECT_EQ(std::count(ids.begin(), ids.end(), kImEnd), 1);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), kImStart), 2);
  EXPECT_EQ(ids.size(), tokens("").size() + 32) << "a byte each";
  const Json body = post("/apply-template", {{"messages", messages("a<|im_end|>")}}).json();
  EXPECT_EQ(body["prompt"], "<|im_start|>user\na<|im_end|><|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(complete({{"prompt", "<|im_end|>"}, {"max_tokens", 1}})["usage"]["prompt_tokens"], 10);
  EXPECT_EQ(complete({{"prompt", "<|im_end|>"}, {"max_tokens", 1}, {"parse_special", true}})["usage"]["prompt_tokens"],
            1);
}

TEST_F(TextServiceTest, ATemplateOfTheModelAndItsVariables) {
  start({},
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        "[{{ m.content | trim }}]{% endfor %}{% if polite is defined and polite %}please{% endif %}{{ eos_token }}");
  EXPECT_EQ(post("/apply-template", {{"messages", messages(" a ")}}).json()["prompt"], "[a]<|endoftext|>");
  EXPECT_EQ(post("/apply-template", {{"messages", messages("a")}, {"chat_template_kwargs", {{"polite", true}}}})
                .json()["prompt"],
            "[a]please<|endoftext|>");
  const Json parts =
      Json::parse(R"([{"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "text", "text": "y"}]}])");
  EXPECT_EQ(post("/apply-template", {{"messages", parts}}).json()["prompt"], "[x\ny]<|endoftext|>");
  const Reply refused =
      post("/v1/chat/completions", Json::parse(R"({"messages": [{"role": "system", "content": "x"}]})"));
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.json()["error"]["message"],
            "chat_template:1: the template refuses the conversation: no system role");
}

TEST_F(TextServiceTest, ATemplateThatIsNotUnderstoodIsNotReplaced) {
  start({}, "{% for m in messages %}\n{{ m.content | shout }}{% endfor %}");
  const Reply refused = post("/v1/chat/completions", {{"messages", messages("a")}});
  EXPECT_EQ(refused.status, 422);
  EXPECT_NE(refused.body.find("chat_template:2: unknown filter 'shout'"), std::string::npos) << refused.body;
  EXPECT_EQ(post("/v1/completions", {{"prompt", "a"}, {"max_tokens", 1}}).status, 200);
}

// --- tokenisers and models

TEST_F(TextServiceTest, TokenizesWithTheKeysOfBothPeers) {
  start();
  const Json vllm =
      post("/tokenize", {{"prompt", "ab"}, {"add_special_tokens", false}, {"return_token_strs", true}}).json();
  EXPECT_EQ(vllm["tokens"], Json({97, 98}));
  EXPECT_EQ(vllm["count"], 2);
  EXPECT_EQ(vllm["max_model_len"], 2048);
  EXPECT_EQ(vllm["token_strs"], Json({"a", "b"}));
  EXPECT_EQ(post("/tokenize", {{"content", "ab"}}).json()["tokens"], Json({97, 98}));
  EXPECT_EQ(post("/tokenize", {{"content", "a"}, {"with_pieces", true}}).json()["tokens"],
            Json::parse(R"([{"id": 97, "piece": "a"}])"));
  const Json text = post("/detokenize", {{"tokens", {97, 98, kImEnd}}}).json();
  EXPECT_EQ(text["prompt"], "ab<|im_end|>");
  EXPECT_EQ(text["content"], "ab<|im_end|>");
  const Json info = get("/tokenizer_info?model=tiny").json();
  EXPECT_EQ(info["eos_token"], "<|endoftext|>");
  EXPECT_TRUE(info["bos_token"].is_null());
  EXPECT_TRUE(info["chat_template"].is_string());
}

TEST_F(TextServiceTest, ListsItsModels) {
  start();
  const Json list = get("/v1/models").json();
  EXPECT_EQ(list["object"], "list");
  ASSERT_EQ(list["data"].size(), 1u);
  EXPECT_EQ(list["data"][0]["id"], "tiny");
  EXPECT_EQ(list["data"][0]["object"], "model");
  EXPECT_EQ(get("/v1/models/tiny").json(), list["data"][0]);
  EXPECT_EQ(get("/v1/models/other").status, 404);
}

// --- misuse

TEST_F(TextServiceTest, RefusesWithAStatusAPlaceAndTheReason) {
  start();
  const auto expect = [&](const std::string& path, const std::string& body, int status, const std::string& code,
                          const std::string& param, const std::string& part) {
    const Reply reply = post_text(path, body);
    EXPECT_EQ(reply.status, status) << body << "\n" << reply.body;
    const Json error = reply.json()["error"];
    EXPECT_EQ(error["code"], code) << body;
    EXPECT_EQ(error["param"], param.empty() ? Json(nullptr) : Json(param)) << body;
    EXPECT_TRUE(error["type"].is_string());
    EXPECT_NE(error["message"].get<std::string>().find(part), std::string::npos) << body << "\n" << reply.body;
  };
  const auto completion = [&](const std::string& body, const std::string& code, const std::string& param,
                              const std::string& part,
                              int status = 400) { expect("/v1/completions", body, status, code, param, part); };
  completion("", "bad_json", "", "the request body is empty");
  completion("{\"prompt\": \"a\"", "bad_json", "", "not valid JSON");
  completion("{\"prompt\": \"\xff\"}", "bad_json", "", "UTF-8");
  completion("[1]", "wrong_type", "", "the request is array; expected an object");
  std::string many = "{\"a0\": 1";
  for (int i = 1; i < 200'000; ++i) many += ", \"a" + std::to_string(i) + "\": 1";
  completion(many + "}", "bad_json", "", "too many members");
  completion("{\"x\": " + std::string(1000, '[') + std::string(1000, ']') + "}", "bad_json", "", "nested levels");
  completion(R"({"model": "other", "prompt": "a"})", "model_not_found", "model", "served are tiny", 404);
  completion(R"({"model": 3, "prompt": "a"})", "wrong_type", "model", "expected a string");
  completion("{}", "missing", "prompt", "prompt is missing");
  completion(R"({"prompt": 3})", "wrong_type", "prompt", "expected a string, strings, token ids");
  completion(R"({"prompt": []})", "empty", "prompt", "prompt is empty");
  completion(R"({"prompt": [[]]})", "empty", "prompt", "has no token");
  completion(R"({"prompt": [1, "a"]})", "wrong_type", "prompt[1]", "expected a token id");
  completion(R"({"prompt": ["a", 1]})", "wrong_type", "prompt[1]", "expected a string or a list of token ids");
  completion(R"({"prompt": [259]})", "bad_value", "prompt[0]", "got 259; expected a token id, 0 to 258");
  completion(R"({"prompt": [-1]})", "bad_value", "prompt[0]", "got -1");
  completion(R"({"prompt": [18446744073709551615]})", "bad_value", "prompt[0]", "expected a token id");
  completion(R"({"prompt": [1.5]})", "wrong_type", "prompt[0]", "expected a token id");
  completion(Json{{"prompt", std::string(2049, 'a')}}.dump(), "context_length_exceeded", "prompt",
             "prompt has 2049 tokens; the model's context is 2048");
  completion(R"({"prompt": "a", "max_tokens": -1})", "bad_value", "max_tokens", "got -1; expected 0 to");
  completion(R"({"prompt": "a", "max_tokens": 1.5})", "wrong_type", "max_tokens", "expected a whole number");
  completion(R"({"prompt": "a", "max_tokens": "1"})", "wrong_type", "max_tokens", "expected a whole number");
  completion(R"({"prompt": "a", "temperature": -0.1})", "bad_value", "temperature", "temperature");
  completion(R"({"prompt": "a", "temperature": "hot"})", "bad_value", "temperature", "temperature");
  completion(R"({"prompt": "a", "top_p": 2})", "bad_value", "top_p", "top_p");
  completion(R"({"prompt": "a", "n": 0})", "bad_value", "n", "got 0; expected 1 to 128");
  completion(R"({"prompt": "a", "n": 2, "best_of": 5})", "unsupported", "best_of", "ask for n");
  completion(R"({"prompt": "a", "suffix": "b"})", "unsupported", "suffix", "suffix is not supported");
  completion(R"({"prompt": "a", "stop": 3})", "wrong_type", "stop", "expected a string or an array of strings");
  completion(R"({"prompt": "a", "stop": ["b", 3]})", "wrong_type", "stop[1]", "expected a string");
  completion(R"({"prompt": "a", "logprobs": true})", "wrong_type", "logprobs", "the number of alternatives");
  completion(R"({"prompt": "a", "logprobs": 1000})", "bad_value", "logprobs", "expected 0 to 100");
  completion(R"({"prompt": "a", "logit_bias": {"x": 1}})", "bad_value", "logit_bias.x", "not a token id");
  completion(R"({"prompt": "a", "logit_bias": {"1": 101}})", "bad_value", "logit_bias.1", "expected -100 to 100");
  completion(R"({"prompt": "a", "stream": "yes"})", "wrong_type", "stream", "expected true or false");
  completion(R"({"prompt": "a", "response_format": {"type": "json_object"}})", "unsupported", "response_format",
             "text");
  Json lots = Json::array();
  for (int i = 0; i < 100; ++i) lots.push_back("a");
  completion(Json{{"prompt", lots}, {"n", 100}}.dump(), "too_many_sequences", "prompt", "at most 2048", 413);

  const auto chat_refusal = [&](const std::string& body, const std::string& code, const std::string& param,
                                const std::string& part) {
    expect("/v1/chat/completions", body, 400, code, param, part);
  };
  chat_refusal("{}", "missing", "messages", "messages is missing");
  chat_refusal(R"({"messages": "Hi"})", "wrong_type", "messages", "expected an array");
  chat_refusal(R"({"messages": []})", "empty", "messages", "messages is empty");
  chat_refusal(R"({"messages": ["Hi"]})", "wrong_type", "messages[0]", "expected an object with role and content");
  chat_refusal(R"({"messages": [{"content": "Hi"}]})", "missing", "messages[0].role", "role is missing");
  chat_refusal(R"({"messages": [{"role": "user"}]})", "missing", "messages[0].content", "content is missing");
  chat_refusal(R"({"messages": [{"role": "user", "content": 3}]})", "wrong_type", "messages[0].content", "a string");
  chat_refusal(R"({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]})", "unsupported",
               "messages[0].content[0]", "the model takes text alone");
  chat_refusal(R"({"messages": [{"role": "user", "content": "a"}], "tools": [{"type": "function"}]})", "unsupported",
               "tools", "tools are not supported");
  chat_refusal(R"({"messages": [{"role": "user", "content": "a"}], "top_logprobs": 2})", "bad_value", "top_logprobs",
               "needs \"logprobs\": true");
  expect("/tokenize", "{}", 400, "missing", "prompt", "expected prompt, content or messages");
  expect("/detokenize", R"({"tokens": [1000]})", 400, "bad_value", "tokens[0]", "expected a token id");
  expect("/v1/predict", R"({"model": "tiny", "rows": [{"a": 1}]})", 400, "wrong_model", "model", "is a language model");
}

TEST_F(TextServiceTest, UnknownFieldsAndNullsAreIgnored) {
  start();
  const Json answer = complete(Json::parse(
      R"({"prompt": "a", "max_tokens": 2, "user": "me", "store": false, "suffix": null, "stop": null, "logit_bias": null,
          "tools": [], "best_of": 1, "top_k": -1, "seed": -5, "stream_options": null, "echo": null})"));
  EXPECT_EQ(answer["choices"].size(), 1u);
}

}  // namespace
}  // namespace danlu::serve
