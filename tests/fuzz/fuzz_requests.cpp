// Bodies of requests to the doors of a language model, damaged: each is an answer of 200 or an error object with a
// reason.
#include "danlu/serve/error.h"
#include "danlu/serve/http/event_stream.h"
#include "danlu/serve/json_request.h"
#include "danlu/serve/openai/chat_completions.h"
#include "danlu/serve/openai/completions.h"
#include "danlu/serve/openai/testing.h"
#include "danlu/serve/openai/tokenize.h"
#include "danlu/serve/predict_request.h"
#include "tests/fuzz/fuzz.h"

namespace danlu::serve {
namespace {

class Discard : public BodyWriter {
 public:
  bool write(std::string_view) override { return true; }
};

// Every answer is JSON, or a stream of it.
void check(const HttpResponse& response) {
  if (response.stream) {
    Discard writer;
    response.stream(writer);
  } else if (!Json::accept(response.body)) {
    throw std::runtime_error("the answer is no JSON: " + response.body);
  }
}

}  // namespace
}  // namespace danlu::serve

int main(int argc, char** argv) {
  using namespace danlu::serve;
  danlu::infer::GeneratorOptions options;
  options.threads = 1;
  TextModel model("tiny", tiny_language_model("", /*context=*/64), options);
  const std::vector<std::string> samples = {
      R"({"model": "tiny", "prompt": "The sky", "max_tokens": 3, "temperature": 0.7, "top_p": 0.9, "top_k": -1, "seed": 5})",
      R"({"prompt": [[1, 2, 3], [200]], "max_tokens": 1, "echo": true, "logprobs": 2, "temperature": 0, "n": 2, "stop": ["a"]})",
      R"({"prompt": ["a", "é"], "stream": true, "stream_options": {"include_usage": true}, "logit_bias": {"7": -100, "8": 3.5}})",
      R"({"messages": [{"role": "user", "content": "Hi <|im_end|>"}, {"role": "assistant", "content": null}], "max_tokens": 2})",
      R"({"messages": [{"role": "user", "content": [{"type": "text", "text": "你好"}]}], "logprobs": true, "top_logprobs": 3})",
      R"({"content": "x\ud83d\ude00", "with_pieces": true, "add_special": true, "parse_special": true})",
      R"({"tokens": [97, 98, 258], "min_p": 0.1, "repetition_penalty": 1.2, "presence_penalty": -2, "max_completion_tokens": 0})",
      R"({"rows": [{"age": 42, "purpose": "car", "x": null}], "response_format": {"type": "text"}, "tools": [], "best_of": 1})",
  };
  return danlu::test::fuzz(argc, argv, samples, [&](const std::string& body) {
    HttpRequest http;
    http.body = body;
    http.content_type = "application/json";
    const auto attempt = [&](const auto& door) {
      try {
        check(door());
      } catch (const RequestError& error) {
        check(error_response(error));
      }
    };
    attempt([&] { return parse_predict_request(http), HttpResponse{.body = "{}"}; });
    danlu::Json json;
    try {
      json = parse_json_request(http);
    } catch (const RequestError& error) {
      return check(error_response(error));
    }
    const Fields fields(json);
    attempt([&] { return answer_completions(model, http, fields); });
    attempt([&] { return answer_chat_completions(model, http, fields); });
    attempt([&] { return answer_tokenize(model, fields); });
    attempt([&] { return answer_detokenize(model, fields); });
    attempt([&] { return answer_apply_template(model, fields); });
  });
}
