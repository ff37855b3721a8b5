// The question of POST /v1/predict, in any of the forms that it may come in.
//
//   {"model": "credit", "rows": [{"age": 42, "purpose": "car"}]}      JSON; "row": {...} for a single one
//   {"model": "shoes", "image": "<base64>"}                           JSON; "images": [...] for several; data: URLs too
//   image/png, image/jpeg                                             the file as the body, ?model=shoes
//   multipart/form-data                                               every file is an image; a field "model"
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/serve/http/message.h"

namespace danlu::serve {

struct PredictRequest {
  std::string model;  // empty if the request names none
  // One of the two has at least one element.
  Json rows = Json::array();        // objects of numbers, strings, booleans and nulls
  std::vector<std::string> images;  // bytes of image files
  bool explain = false;             // say why, too: "explain": true, or ?explain=true
};

// Throws RequestError: 400 for what is not such a question, naming the place in the JSON; 415 for another type of body.
// Keys that it does not know are ignored.
PredictRequest parse_predict_request(const HttpRequest& request);

}  // namespace danlu::serve
