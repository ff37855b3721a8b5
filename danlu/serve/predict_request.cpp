#include "danlu/serve/predict_request.h"

#include <utility>

#include "danlu/base/base64.h"
#include "danlu/base/format.h"
#include "danlu/serve/error.h"
#include "danlu/serve/http/multipart.h"
#include "danlu/serve/json_request.h"

namespace danlu::serve {
namespace {

void check_row(const Json& row, const std::string& place) {
  if (!row.is_object()) wrong_type(place, row, "an object of column names and values");
  for (const auto& [column, value] : row.items()) {
    if (value.is_structured()) {
      wrong_type(fmt::format("{}.{}", place, column), value, "a number, a string, true, false or null");
    }
  }
}

// The bytes of an image written as base64, alone or as a data: URL.
std::string image_bytes(const Json& value, const std::string& place) {
  if (!value.is_string()) wrong_type(place, value, "a base64 string");
  std::string_view text = value.get_ref<const std::string&>();
  if (text.starts_with("data:")) text.remove_prefix(std::min(text.find(',') + 1, text.size()));
  std::optional<std::string> bytes = base64_decode(text);
  if (!bytes || bytes->empty()) {
    throw RequestError(400, "bad_base64", fmt::format("{} is not base64 of an image file", place), place);
  }
  return std::move(*bytes);
}

void check_list(const Json& list, const char* name, const char* expected) {
  if (!list.is_array()) wrong_type(name, list, expected);
  if (list.empty()) throw RequestError(400, "empty", fmt::format("{} is empty; expected {}", name, expected), name);
}

void read_json(const std::string& body, PredictRequest& request) {
  Json json = parse_json_body(body);
  if (!json.is_object()) wrong_type("the request", json, "an object such as {\"rows\": [{...}]}");
  if (const auto model = json.find("model"); model != json.end() && !model->is_null()) {
    if (!model->is_string()) wrong_type("model", *model, "a string");
    request.model = model->get<std::string>();
  }

  if (const auto explain = json.find("explain"); explain != json.end() && !explain->is_null()) {
    if (!explain->is_boolean()) wrong_type("explain", *explain, "true or false");
    request.explain = explain->get<bool>();
  }

  std::vector<std::string> present;
  for (const char* key : {"rows", "row", "images", "image"}) {
    if (json.contains(key)) present.emplace_back(key);
  }
  if (present.size() != 1) {
    throw RequestError(400, "bad_input",
                       fmt::format("got {}; expected one of rows, row, images, image",
                                   present.empty() ? "no input" : fmt::format("{}", fmt::join(present, " and "))));
  }
  Json& input = json[present.front()];
  if (present.front() == "rows") {
    check_list(input, "rows", "a list of at least one object");
    for (size_t i = 0; i < input.size(); ++i) check_row(input[i], fmt::format("rows[{}]", i));
    request.rows = std::move(input);
  } else if (present.front() == "row") {
    check_row(input, "row");
    request.rows.push_back(std::move(input));
  } else if (present.front() == "images") {
    check_list(input, "images", "a list of at least one base64 string");
    for (size_t i = 0; i < input.size(); ++i)
      request.images.push_back(image_bytes(input[i], fmt::format("images[{}]", i)));
  } else {
    request.images.push_back(image_bytes(input, "image"));
  }
}

// Of a query or a form.
bool read_flag(const std::string& word, const char* name) {
  if (word == "true" || word == "1") return true;
  if (word == "false" || word == "0") return false;
  throw RequestError(400, "bad_value", fmt::format("{} is \"{}\"; expected true or false", name, word), name);
}

void read_form(const HttpRequest& http, PredictRequest& request) {
  const auto parts = parse_multipart(http.content_type, http.body);
  if (!parts) throw RequestError(400, "bad_form", "the body is not valid multipart/form-data");
  for (const FormPart& part : *parts) {
    if (part.name == "model" && part.filename.empty()) {
      request.model = part.content;
    } else if (part.name == "explain" && part.filename.empty()) {
      request.explain = read_flag(std::string(part.content), "explain");
    } else if (!part.filename.empty() || part.name == "image" || part.name == "file") {
      request.images.emplace_back(part.content);
    }
  }
  if (request.images.empty()) throw RequestError(400, "bad_input", "the form has no file; expected at least one image");
}

bool is_json(const std::string& type) {
  // The last is what curl -d says of any body, and the empty one what a hurried client does not say.
  return type == "application/json" || type == "text/json" || type.ends_with("+json") || type.empty() ||
         type == "application/x-www-form-urlencoded";
}

}  // namespace

PredictRequest parse_predict_request(const HttpRequest& http) {
  PredictRequest request;
  const std::string type = media_type(http.content_type);
  if (http.body.empty()) throw RequestError(400, "bad_input", "the request body is empty; expected JSON or an image");
  if (is_json(type)) {
    read_json(http.body, request);
  } else if (type == "multipart/form-data") {
    read_form(http, request);
  } else if (type.starts_with("image/") || type == "application/octet-stream") {
    request.images.push_back(http.body);
  } else {
    throw RequestError(
        415, "unknown_content_type",
        fmt::format("got Content-Type {}; expected application/json, image/png, image/jpeg or multipart/form-data",
                    type));
  }
  if (const auto model = http.query.find("model"); model != http.query.end() && request.model.empty()) {
    request.model = model->second;
  }
  if (const auto explain = http.query.find("explain"); explain != http.query.end()) request.explain = read_flag(explain->second, "explain");
  return request;
}

}  // namespace danlu::serve
