#include "danlu/serve/error.h"

#include "danlu/base/json.h"

namespace danlu::serve {
namespace {

const char* error_type(int status) {
  switch (status) {
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    case 503:
      return "unavailable_error";
    default:
      return status < 500 ? "invalid_request_error" : "server_error";
  }
}

}  // namespace

RequestError::RequestError(int status, std::string_view code, std::string_view message, std::string_view param)
    : Error("serve", message), status_(status), code_(code), param_(param) {}

HttpResponse error_response(const RequestError& error) {
  Json body;
  body["error"]["message"] = error.message();
  body["error"]["type"] = error_type(error.status());
  body["error"]["param"] = error.param().empty() ? Json(nullptr) : Json(error.param());
  body["error"]["code"] = error.code();
  HttpResponse response{.status = error.status(), .body = to_line(body)};
  if (error.status() == 429 || error.status() == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace danlu::serve
