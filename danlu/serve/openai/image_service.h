// The models of a server that make images, and their door:
//
//   POST /v1/images/generations     {"model": "fashion-gan", "n": 4, "seed": 7, "size": "28x28", "response_format": "b64_json"}
//                                   {"created": 1795400000, "seed": 7, "data": [{"b64_json": "<base64 of a PNG file>"}, ...]}
//
// Fields as in OpenAI's interface; besides, "seed" says which images: with the same one they are the same, and those of `danlu generate`.
// Without it one is drawn and told. "class" says what the images of a conditional model are to show; without it its classes take turns, and
// GET /v1/models lists them. A "prompt" is passed over, for clients that insist on one: these models make what they were trained on.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "danlu/base/json.h"
#include "danlu/infer/image_generator.h"
#include "danlu/serve/http/server.h"
#include "danlu/serve/named_models.h"

namespace danlu::serve {

class ImageService : public NamedModels<std::unique_ptr<infer::ImageGenerator>> {
 public:
  static constexpr int64_t kMostImages = 256;  // of a request

  using NamedModels::NamedModels;

  // The route uses this object.
  void add_routes(HttpServer& http);
  // An element of GET /v1/models.
  Json describe(const std::string& name) const;

 private:
  HttpResponse answer(const HttpRequest& http);
  std::mutex mutex_;  // one request at a time, each on its own thread, so that the others stay with other models
};

}  // namespace danlu::serve
