#include "danlu/serve/predict_request.h"

#include <gtest/gtest.h>

#include "danlu/base/base64.h"
#include "danlu/base/timer.h"
#include "danlu/serve/error.h"

namespace danlu::serve {
namespace {

HttpRequest json_request(std::string body) {
  return {.method = "POST",
          .path = "/v1/predict",
          .query = {},
          .content_type = "application/json",
          .body = std::move(body),
          .id = ""};
}

void expect_error(const HttpRequest& request, int status, const std::string& code, const std::string& param,
                  const std::string& words) {
  try {
    parse_predict_request(request);
    FAIL() << "expected an error for " << request.body;
  } catch (const RequestError& error) {
    EXPECT_EQ(error.status(), status) << request.body;
    EXPECT_EQ(error.code(), code) << request.body;
    EXPECT_EQ(error.param(), param) << request.body;
    EXPECT_NE(error.message().find(words), std::string::npos) << error.message();
  }
}

TEST(PredictRequest, ReadsRowsInEveryForm) {
  const PredictRequest rows =
      parse_predict_request(json_request(R"({"model": "m", "rows": [{"a": 1}, {"a": null}], "extra": 1})"));
  EXPECT_EQ(rows.model, "m");
  EXPECT_EQ(rows.rows.dump(), R"([{"a":1},{"a":null}])");
  EXPECT_TRUE(rows.images.empty());
  EXPECT_EQ(parse_predict_request(json_request(R"({"row": {"a": "x"}})")).rows.dump(), R"([{"a":"x"}])");

  HttpRequest curl = json_request(R"({"row": {"a": true}})");
  curl.content_type = "application/x-www-form-urlencoded";
  curl.query["model"] = "q";
  EXPECT_EQ(parse_predict_request(curl).model, "q");
}

TEST(PredictRequest, ReadsImagesInEveryForm) {
  const std::string bytes("\x89PNG\0\xff", 6);
  const std::string base64 = base64_encode(bytes);
  using Images = std::vector<std::string>;
  EXPECT_EQ(parse_predict_request(json_request("{\"image\": \"" + base64 + "\"}")).images, Images{bytes});
  EXPECT_EQ(parse_predict_request(
                json_request("{\"images\": [\"" + base64 + "\", \"data:image/png;base64," + base64 + "\"]}"))
                .images,
            (Images{bytes, bytes}));

  HttpRequest body = json_request(bytes);
  body.content_type = "image/png";
  body.query["model"] = "m";
  EXPECT_EQ(parse_predict_request(body).images, Images{bytes});
  EXPECT_EQ(parse_predict_request(body).model, "m");

  HttpRequest form = json_request(
      "--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nshoes\r\n"
      "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.png\"\r\n\r\n" +
      bytes + "\r\n--B--\r\n");
  form.content_type = "multipart/form-data; boundary=B";
  EXPECT_EQ(parse_predict_request(form).images, Images{bytes});
  EXPECT_EQ(parse_predict_request(form).model, "shoes");
}

TEST(PredictRequest, NamesThePlaceOfAWrongType) {
  expect_error(json_request("[1]"), 400, "wrong_type", "the request", "the request is array; expected an object");
  expect_error(json_request(R"({"rows": {"a": 1}})"), 400, "wrong_type", "rows", "rows is object; expected a list");
  expect_error(json_request(R"({"rows": [{"a": 1}, 5]})"), 400, "wrong_type", "rows[1]",
               "rows[1] is number; expected an object");
  expect_error(json_request(R"({"rows": [{"age": [3]}]})"), 400, "wrong_type", "rows[0].age",
               "rows[0].age is array; expected a number");
  expect_error(json_request(R"({"row": null})"), 400, "wrong_type", "row", "row is null");
  expect_error(json_request(R"({"model": 3, "row": {}})"), 400, "wrong_type", "model",
               "model is number; expected a string");
  expect_error(json_request(R"({"images": ["aGk=", 7]})"), 400, "wrong_type", "images[1]", "images[1] is number");
  expect_error(json_request(R"({"image": "?!"})"), 400, "bad_base64", "image", "image is not base64");
}

TEST(PredictRequest, SaysWhatIsMissing) {
  expect_error(json_request(""), 400, "bad_input", "", "body is empty");
  expect_error(json_request("{}"), 400, "bad_input", "", "got no input; expected one of rows, row, images, image");
  expect_error(json_request(R"({"rows": [{}], "image": "aGk="})"), 400, "bad_input", "", "got rows and image");
  expect_error(json_request(R"({"rows": []})"), 400, "empty", "rows", "rows is empty");
}

TEST(PredictRequest, SaysLineAndColumnOfMalformedJson) {
  expect_error(json_request("{\"rows\": [\n  {\"a\": 1,}\n]}"), 400, "bad_json", "", "request:2:");
  expect_error(json_request("{\"rows\": [{\"a\": 1e999}]}"), 400, "bad_json", "", "number overflow parsing '1e999'");
  expect_error(json_request("{\"rows\": [{\"a\": \"\xff\"}]}"), 400, "bad_json", "", "request:1:");
  expect_error(json_request(std::string(100'000, '[')), 400, "bad_json", "", "nested");
}

TEST(PredictRequest, RefusesOtherTypesAndBrokenForms) {
  HttpRequest request = json_request("a,b\n1,2");
  request.content_type = "text/csv";
  expect_error(request, 415, "unknown_content_type", "", "got Content-Type text/csv; expected application/json");
  request.content_type = "multipart/form-data; boundary=Q";
  expect_error(request, 400, "bad_form", "", "not valid multipart/form-data");
  request.body = "--Q\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nx\r\n--Q--";
  expect_error(request, 400, "bad_input", "", "the form has no file");
}

TEST(PredictRequest, RefusesMoreMembersThanCanBeReadInTime) {
  std::string body = "{\"row\": {\"a0\": 1";
  for (int i = 1; i < 300'000; ++i) body += ",\"a" + std::to_string(i) + "\":1";
  const Timer timer;
  expect_error(json_request(body + "}}"), 400, "bad_json", "", "too many members");
  EXPECT_LT(timer.seconds(), 5);
}

}  // namespace
}  // namespace danlu::serve
