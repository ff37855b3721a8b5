// The models of a server that make images, and their door:
//
//   POST /v1/images/generations     {"model": "fashion-gan", "n": 4, "seed": 7, "size": "28x28", "response_format": "b64_json"}
//                                   {"created": 1795400000, "seed": 7, "data": [{"b64_json": "<base64 of a PNG file>"}, ...]}
//
// Fields as in OpenAI's interface; besides, "seed" says which images: with the same one they are the same, and those of `danlu generate`.
// Without it one is drawn and told. A "prompt" is passed over, for clients that insist on one: these models make what they were trained on.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/infer/image_generator.h"
#include "danlu/serve/http/server.h"

namespace danlu::serve {

class ImageService {
 public:
  static constexpr int64_t kMostImages = 256;  // of a request

  // `refuse` throws the RequestError for a name that is none of these models, or for none ("").
  explicit ImageService(std::function<void(const std::string& name)> refuse) : refuse_(std::move(refuse)) {}

  void add_model(const std::string& name, std::unique_ptr<infer::ImageGenerator> model) { models_[name] = std::move(model); }
  // The route uses this object.
  void add_routes(HttpServer& http);

  bool contains(const std::string& name) const { return models_.contains(name); }
  std::vector<std::string> names() const;
  // An element of GET /v1/models.
  Json describe(const std::string& name) const;

 private:
  HttpResponse answer(const HttpRequest& http);
  const std::function<void(const std::string&)> refuse_;
  std::map<std::string, std::unique_ptr<infer::ImageGenerator>> models_;
  std::mutex mutex_;  // one request at a time: each uses all threads
};

}  // namespace danlu::serve
