#include "danlu/infer/generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <future>
#include <thread>

#include "danlu/base/utf8.h"
#include "danlu/infer/testing.h"

namespace danlu::infer {
namespace {

using data::TokenId;
using testing::HasSubstr;
using Tokens = std::vector<TokenId>;

const SamplingOptions kGreedy = {.temperature = 0};

Tokens bytes(const std::string& text) {
  Tokens tokens;
  for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
  return tokens;
}

// Holds the answer of a network to lower-case letters and spaces.
SamplingOptions letters(SamplingOptions options) {
  for (char c = 'a'; c <= 'z'; ++c) options.logit_bias[c] = 50;
  options.logit_bias[' '] = 50;
  return options;
}

// Greedy tokens by whole forward passes, without any cache.
Tokens reference(models::Gpt& network, Tokens tokens, int64_t count) {
  const NoGrad no_grad;
  Tokens generated;
  for (int64_t i = 0; i < count; ++i) {
    const std::vector<int64_t> ids(tokens.begin(), tokens.end());
    const auto length = static_cast<int64_t>(ids.size());
    const Tensor logits = network(Tensor::from({1, length}, std::span<const int64_t>(ids)));
    const auto last = logits.span().last(static_cast<size_t>(logits.size(2)));
    generated.push_back(static_cast<TokenId>(std::max_element(last.begin(), last.end()) - last.begin()));
    tokens.push_back(generated.back());
  }
  return generated;
}

// Collects the events of a request and waits for the last.
class Collector {
 public:
  Generator::OnEvent receiver(std::function<bool()> goes_on = [] { return true; }) {
    return [this, goes_on = std::move(goes_on)](const GenerationEvent& event) {
      EXPECT_TRUE(is_utf8(event.text));
      events.push_back(event);
      if (event.finish != FinishReason::none) ended_.set_value();
      return goes_on();
    };
  }
  const GenerationEvent& wait() {
    EXPECT_EQ(ended_.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
    return events.back();
  }
  std::string text() const {
    std::string all;
    for (const GenerationEvent& event : events) all += event.text;
    return all;
  }

  std::vector<GenerationEvent> events;

 private:
  std::promise<void> ended_;
};

TEST(Generator, GreedyTokensAreThoseOfWholeForwardPasses) {
  for (const char* family : {"gpt2", "llama", "qwen3"}) {
    const auto model =
        random_language_model({.family = family, .layers = 2, .heads = 4, .kv_heads = family[0] == 'g' ? 4 : 2, .width = 32, .context = 128});
    Generator generator(model, {.prefill_chunk = 16});
    const Tokens prompt = bytes("A prompt of more tokens than a step takes.");
    const Generation answer = generate(generator, {.prompt = prompt, .max_tokens = 40, .sampling = kGreedy, .ignore_eos = true});
    EXPECT_EQ(answer.tokens, reference(*model->network, prompt, 40)) << family;
    EXPECT_EQ(answer.finish, FinishReason::length);
  }
}

TEST(Generator, EightTogetherAnswerAsEachAlone) {
  const auto model = random_language_model({.layers = 2, .heads = 4, .kv_heads = 2, .width = 192, .context = 128});
  const auto request = [](int i) {
    return GenerationRequest{.prompt = bytes(std::string(static_cast<size_t>(1 + 7 * i), static_cast<char>('a' + i))),
                             .max_tokens = 30,
                             .sampling = {.temperature = 1.2, .top_k = 40, .seed = static_cast<uint64_t>(i)},
                             .logprobs = 1,
                             .ignore_eos = true};
  };
  std::vector<Generation> alone;
  for (int i = 0; i < 8; ++i) {
    Generator generator(model);
    alone.push_back(generate(generator, request(i)));
  }
  Generator generator(model, {.max_sequences = 5, .prefill_chunk = 10});
  std::vector<Collector> collectors(8);
  for (int i = 0; i < 8; ++i) generator.submit(request(i), collectors[static_cast<size_t>(i)].receiver());
  for (size_t i = 0; i < 8; ++i) {
    collectors[i].wait();
    Tokens tokens;
    std::vector<TokenLogprob> logprobs;
    for (const GenerationEvent& event : collectors[i].events) {
      tokens.insert(tokens.end(), event.tokens.begin(), event.tokens.end());
      logprobs.insert(logprobs.end(), event.logprobs.begin(), event.logprobs.end());
    }
    EXPECT_EQ(tokens, alone[i].tokens) << i;
    ASSERT_EQ(logprobs.size(), 30u);
    for (size_t t = 0; t < 30; ++t) {
      EXPECT_EQ(logprobs[t].logprob.value(), alone[i].logprobs[t].logprob.value()) << "of request " << i << ", to the last bit";
    }
  }
  const Generator::Statistics statistics = generator.statistics();
  EXPECT_EQ(statistics.generated_tokens, 8 * 30);
  EXPECT_EQ(statistics.running, 0);
  EXPECT_EQ(statistics.waiting, 0);
}

// With guesses and without: the same tokens, text and log-probabilities, to the last bit.
void expect_same_with_guesses(const std::shared_ptr<LanguageModel>& model, const std::vector<GenerationRequest>& requests) {
  Generator plain(model), guessing(model, {.decoding = {.lookup = 7}});
  std::vector<Collector> collectors(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) guessing.submit(requests[i], collectors[i].receiver());
  for (size_t i = 0; i < requests.size(); ++i) {
    SCOPED_TRACE(i);
    const Generation expected = generate(plain, requests[i]);
    EXPECT_EQ(collectors[i].wait().finish, expected.finish);
    EXPECT_EQ(collectors[i].text(), expected.text);
    Generation answer;
    for (const GenerationEvent& event : collectors[i].events) {
      answer.tokens.insert(answer.tokens.end(), event.tokens.begin(), event.tokens.end());
      answer.logprobs.insert(answer.logprobs.end(), event.logprobs.begin(), event.logprobs.end());
    }
    EXPECT_EQ(answer.tokens, expected.tokens);
    ASSERT_EQ(answer.logprobs.size(), expected.logprobs.size());
    for (size_t t = 0; t < answer.logprobs.size(); ++t) EXPECT_EQ(answer.logprobs[t].logprob, expected.logprobs[t].logprob);
  }
  const Generator::Statistics counts = guessing.statistics();
  EXPECT_GT(counts.confirmed_tokens, 0) << "nothing was tried";
  EXPECT_LT(counts.confirmed_tokens, counts.guessed_tokens) << "no guess was wrong";
  EXPECT_EQ(counts.generated_tokens, plain.statistics().generated_tokens);
  EXPECT_EQ(plain.statistics().guessed_tokens, 0);
}

TEST(Generator, GuessesDoNotChangeTheAnswer) {
  const Tokens prompt = bytes("one two three four. one two three five. one two");
  const SamplingOptions warm = letters({.temperature = 0.7, .top_k = 3, .seed = 5}), penalized = {.temperature = 0, .repetition_penalty = 1.1, .frequency_penalty = 0.3};
  std::vector<GenerationRequest> requests = {
      {.prompt = prompt, .max_tokens = 60, .sampling = kGreedy, .logprobs = 2, .ignore_eos = true},
      {.prompt = prompt, .max_tokens = 60, .sampling = warm, .logprobs = 0, .ignore_eos = true},
      {.prompt = prompt, .max_tokens = 60, .sampling = penalized, .ignore_eos = true},
      {.prompt = prompt, .max_tokens = 1, .sampling = kGreedy},
      {.prompt = prompt, .max_tokens = 1000, .sampling = kGreedy, .ignore_eos = true},  // to the end of the context
      {.prompt = bytes("aaaaaaaaaa"), .max_tokens = 40, .sampling = {.temperature = 0, .logit_bias = {{'a', 100}}}, .stop = {"aaaaa"}},
      {.prompt = prompt, .max_tokens = 4, .sampling = kGreedy, .logprobs = 1, .prompt_logprobs = true},
  };
  expect_same_with_guesses(random_language_model({.layers = 2, .heads = 4, .kv_heads = 2, .width = 64, .context = 128}), requests);
  models::GptOptions options{.family = "qwen3", .layers = 2, .heads = 4, .kv_heads = 2, .width = 64, .context = 128, .vocab_size = kByteVocabulary};
  expect_same_with_guesses(std::make_shared<LanguageModel>(LanguageModel{"small", quantized_gpt(options), data::Tokenizer(byte_tokenizer()), {kEndOfText}, Json::object()}),
                           requests);
}

TEST(Generator, ACacheOf16BitsAnswersNearlyTheSame) {
  const auto model = random_language_model({.family = "qwen3", .layers = 2, .heads = 4, .kv_heads = 2, .width = 64, .context = 128});
  Generator exact(model), half(model, {.decoding = {.kv_cache = "f16"}});
  const GenerationRequest request = {.prompt = bytes("some words to be read, and scored again"), .max_tokens = 0, .logprobs = 0, .prompt_logprobs = true};
  const Generation a = generate(exact, request), b = generate(half, request);
  double difference = 0;
  for (size_t i = 1; i < a.logprobs.size(); ++i) difference = std::max(difference, std::abs(*a.logprobs[i].logprob - *b.logprobs[i].logprob));
  EXPECT_GT(difference, 0) << "the same cache";
  EXPECT_LT(difference, 0.05);
  EXPECT_THROW(Generator(model, {.decoding = {.kv_cache = "f8"}}), ConfigError);
}

TEST(Generator, APromptTakesOverWhatEarlierOnesHaveInCommon) {
  const auto model = random_language_model();
  const GenerationRequest first = {.prompt = bytes("You are a poet. Write of the moon."), .max_tokens = 20, .sampling = kGreedy, .ignore_eos = true};
  GenerationRequest second = first;
  second.prompt = bytes("You are a poet. Write of wine.");
  Generator fresh(model);
  const Generation expected = generate(fresh, second);
  EXPECT_EQ(expected.cached_tokens, 0);

  Generator generator(model);
  const Generation once = generate(generator, first), again = generate(generator, first);
  EXPECT_EQ(again.tokens, once.tokens);
  EXPECT_EQ(again.cached_tokens, static_cast<int64_t>(first.prompt.size()) - 1);  // one token has to be computed
  const Generation other = generate(generator, second);
  EXPECT_EQ(other.tokens, expected.tokens);
  EXPECT_EQ(other.cached_tokens, static_cast<int64_t>(std::string("You are a poet. Write of ").size()));
  EXPECT_EQ(generator.statistics().cached_tokens, again.cached_tokens + other.cached_tokens);
}

TEST(Generator, AConversationGoesOnFromItsCache) {
  const auto model = random_language_model();
  Generator generator(model);
  GenerationRequest request = {.prompt = bytes("Question one"), .max_tokens = 10, .sampling = kGreedy, .ignore_eos = true};
  const Generation first = generate(generator, request);
  const size_t known = request.prompt.size() + first.tokens.size() - 1;  // the last token was never fed
  request.prompt.insert(request.prompt.end(), first.tokens.begin(), first.tokens.end());
  request.prompt.push_back('?');
  EXPECT_EQ(generate(generator, request).cached_tokens, static_cast<int64_t>(known));
}

TEST(Generator, LogprobsArePrintedOfPromptAndAnswer) {
  const auto model = random_language_model();
  Generator generator(model, {.prefill_chunk = 5});
  const Tokens prompt = bytes("scored text");
  const Generation answer =
      generate(generator, {.prompt = prompt, .max_tokens = 3, .sampling = kGreedy, .logprobs = 2, .prompt_logprobs = true, .ignore_eos = true});
  ASSERT_EQ(answer.logprobs.size(), prompt.size() + 3);
  EXPECT_FALSE(answer.logprobs[0].logprob);
  EXPECT_EQ(answer.logprobs[0].id, prompt[0]);
  const NoGrad no_grad;
  const std::vector<int64_t> ids(prompt.begin(), prompt.end());
  const Tensor logits = (*model->network)(Tensor::from({1, static_cast<int64_t>(ids.size())}, std::span<const int64_t>(ids)));
  for (size_t i = 1; i < prompt.size(); ++i) {
    const auto row = logits.span().subspan((i - 1) * static_cast<size_t>(kByteVocabulary), static_cast<size_t>(kByteVocabulary));
    EXPECT_EQ(answer.logprobs[i].id, prompt[i]);
    EXPECT_NEAR(answer.logprobs[i].logprob.value(), token_logprob(row, prompt[i], 1).logprob.value(), 1e-4);
    EXPECT_EQ(answer.logprobs[i].top.size(), 2u);
  }
  for (size_t i = 0; i < 3; ++i) {
    const TokenLogprob& chosen = answer.logprobs[prompt.size() + i];
    EXPECT_EQ(chosen.id, answer.tokens[i]);
    EXPECT_EQ(chosen.logprob.value(), chosen.top[0].second);  // greedy: the very same double
  }
}

TEST(Generator, ScoresAPromptAlone) {
  const auto model = random_language_model();
  Generator generator(model);
  const Generation answer = generate(generator, {.prompt = bytes("abc"), .max_tokens = 0, .logprobs = 1, .prompt_logprobs = true});
  EXPECT_EQ(answer.finish, FinishReason::length);
  EXPECT_EQ(answer.logprobs.size(), 3u);
  EXPECT_TRUE(answer.tokens.empty());
  EXPECT_EQ(generate(generator, {.prompt = bytes("abc"), .max_tokens = 0}).finish, FinishReason::length);
}

TEST(Generator, EndsAtAnEndToken) {
  const auto model = random_language_model();
  Generator generator(model);
  SamplingOptions sampling = kGreedy;
  sampling.logit_bias[kEndOfText] = 100;
  const Generation answer = generate(generator, {.prompt = bytes("x"), .max_tokens = 5, .sampling = sampling, .logprobs = 0});
  EXPECT_EQ(answer.finish, FinishReason::stop);
  EXPECT_EQ(answer.tokens, Tokens{kEndOfText});
  EXPECT_EQ(answer.logprobs.size(), 1u);
  EXPECT_EQ(answer.text, "");
  const Generation on = generate(generator, {.prompt = bytes("x"), .max_tokens = 5, .sampling = sampling, .ignore_eos = true});
  EXPECT_EQ(on.tokens, Tokens(5, kEndOfText));
  EXPECT_EQ(on.text, "");
}

TEST(Generator, EndsBeforeAStopString) {
  const auto model = random_language_model();
  Generator generator(model);
  GenerationRequest request = {.prompt = bytes("say"), .max_tokens = 60, .sampling = letters({.temperature = 1, .seed = 3})};
  const std::string whole = generate(generator, request).text;
  ASSERT_EQ(whole.size(), 60u);
  const std::string stop = whole.substr(20, 5);
  request.stop = {"never in it", stop};
  const Generation answer = generate(generator, request);
  EXPECT_EQ(answer.text, whole.substr(0, whole.find(stop)));
  EXPECT_EQ(answer.finish, FinishReason::stop);
  EXPECT_EQ(answer.tokens.size(), whole.find(stop) + 5);
}

// Tokens that are thirds of characters: every event has whole ones, and together they are what the bytes say.
TEST(Generator, StreamsWholeCharacters) {
  const auto model = random_language_model();
  Generator generator(model);
  SamplingOptions sampling{.temperature = 10, .seed = 8};
  for (const int byte : {0xE6, 0x98, 0xA5, 0x61}) sampling.logit_bias[byte] = 100;
  Collector collector;
  generator.submit({.prompt = bytes("春眠"), .max_tokens = 100, .sampling = sampling}, collector.receiver());
  collector.wait();
  std::string raw;
  for (const GenerationEvent& event : collector.events) {
    for (const TokenId token : event.tokens) raw += model->tokenizer.token_bytes(token);
  }
  EXPECT_NE(raw.find("\xE6\x98\xA5"), std::string::npos);
  EXPECT_EQ(collector.text(), replace_invalid_utf8(raw));
}

TEST(Generator, StopsWhereTheContextIsFull) {
  const auto model = random_language_model();
  Generator generator(model);
  const GenerationRequest request = {.prompt = Tokens(120, 'a'), .max_tokens = 1000, .sampling = kGreedy, .ignore_eos = true};
  const Generation answer = generate(generator, request);
  EXPECT_EQ(answer.finish, FinishReason::length);
  EXPECT_EQ(answer.tokens.size(), 9u);  // eight more positions, and the token behind the last
  EXPECT_EQ(generate(generator, {.prompt = Tokens(128, 'a'), .max_tokens = 5, .ignore_eos = true}).tokens.size(), 1u);
}

TEST(Generator, CancelsWhatRunsAndWhatWaits) {
  const auto model = random_language_model({.layers = 1, .heads = 2, .width = 16, .context = 100000});
  Generator generator(model, {.max_sequences = 1});
  const GenerationRequest endless = {.prompt = bytes("on and on"), .max_tokens = 90000, .ignore_eos = true};
  Collector running, waiting, by_return;
  std::promise<void> started;
  std::atomic<bool> first{true};
  const auto running_id = generator.submit(endless, running.receiver([&] {
    if (first.exchange(false)) started.set_value();
    return true;
  }));
  const auto waiting_id = generator.submit(endless, waiting.receiver());
  started.get_future().wait();
  EXPECT_EQ(generator.statistics().running, 1);
  EXPECT_EQ(generator.statistics().waiting, 1);
  generator.cancel(waiting_id);
  EXPECT_EQ(waiting.wait().finish, FinishReason::cancelled);
  EXPECT_EQ(waiting.events.size(), 1u);
  generator.cancel(running_id);
  EXPECT_EQ(running.wait().finish, FinishReason::cancelled);
  EXPECT_EQ(generator.statistics().running, 0);
  generator.cancel(running_id);  // nothing happens

  generator.submit(endless, by_return.receiver([] { return false; }));
  EXPECT_EQ(generate(generator, {.prompt = bytes("next"), .max_tokens = 2, .ignore_eos = true}).tokens.size(), 2u);
  EXPECT_EQ(by_return.events.size(), 1u);
}

TEST(Generator, ItsEndCancelsEverything) {
  const auto model = random_language_model({.layers = 1, .heads = 2, .width = 16, .context = 100000});
  std::vector<Collector> collectors(4);
  {
    Generator generator(model, {.max_sequences = 2});
    for (Collector& collector : collectors) {
      generator.submit({.prompt = bytes("x"), .max_tokens = 90000, .ignore_eos = true}, collector.receiver());
    }
  }
  for (Collector& collector : collectors) EXPECT_EQ(collector.wait().finish, FinishReason::cancelled);
}

TEST(Generator, AReceiverThatThrowsEndsItsRequestAlone) {
  Generator generator(random_language_model());
  generator.submit({.prompt = bytes("x"), .max_tokens = 50, .ignore_eos = true},
                   [](const GenerationEvent&) -> bool { throw std::runtime_error("gone"); });
  EXPECT_EQ(generate(generator, {.prompt = bytes("x"), .max_tokens = 50, .ignore_eos = true}).tokens.size(), 50u);
  EXPECT_EQ(generator.statistics().running, 0);
}

TEST(Generator, AnErrorEndsTheRequestsThatItConcerns) {
  const auto model = random_language_model();
  Generator generator(model);
  const GenerationRequest request = {.prompt = bytes("x"), .max_tokens = 3, .sampling = kGreedy};
  const Tokens expected = generate(generator, request).tokens;
  Tensor weight = model->network->parameters().front();
  const Tensor sound = weight.clone();
  weight.mutable_data()[0] = NAN;  // of token 0 and, the head being tied, of every logit 0
  try {
    generate(generator, request);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("got nan among the logits"));
  }
  weight.copy_from(sound);
  EXPECT_EQ(generate(generator, request).tokens, expected);
}

TEST(Generator, RefusesWhatMakesNoSense) {
  const auto model = random_language_model();
  Generator generator(model);
  const auto message = [&](const GenerationRequest& request) {
    try {
      generate(generator, request);
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(message({}), HasSubstr("prompt: got no tokens"));
  EXPECT_THAT(message({.prompt = Tokens(129, 1)}), HasSubstr("prompt: got 129 tokens; expected at most the model's context, 128"));
  EXPECT_THAT(message({.prompt = {5, 260}}), HasSubstr("prompt: got token 260; expected 0 to 259"));
  EXPECT_THAT(message({.prompt = {-1}}), HasSubstr("got token -1"));
  EXPECT_THAT(message({.prompt = {1}, .max_tokens = -1}), HasSubstr("max_tokens: got -1"));
  EXPECT_THAT(message({.prompt = {1}, .stop = {""}}), HasSubstr("stop: got an empty text"));
  EXPECT_THAT(message({.prompt = {1}, .logprobs = -2}), HasSubstr("logprobs: got -2"));
  EXPECT_THAT(message({.prompt = {1}, .sampling = {.top_p = 2}}), HasSubstr("top_p: got 2"));
  EXPECT_THAT(message({.prompt = {1}, .sampling = {.logit_bias = {{999, 1}}}}), HasSubstr("logit_bias: got token 999"));
  EXPECT_THROW(Generator(model, {.max_sequences = 0}), ConfigError);
}

TEST(Generator, ItsQueueIsBounded) {
  const auto model = random_language_model({.layers = 1, .heads = 2, .width = 16, .context = 100000});
  Generator generator(model, {.max_sequences = 1, .queue_capacity = 2});
  const GenerationRequest endless = {.prompt = bytes("x"), .max_tokens = 90000, .ignore_eos = true};
  int accepted = 0;
  try {
    for (; accepted < 10; ++accepted) generator.submit(endless, [](const GenerationEvent&) { return true; });
  } catch (const QueueFull& error) {
    EXPECT_THAT(error.what(), HasSubstr("2 requests wait already"));
  }
  EXPECT_GE(accepted, 2);
  EXPECT_LE(accepted, 3);
}

}  // namespace
}  // namespace danlu::infer
