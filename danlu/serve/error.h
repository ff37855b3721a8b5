// What a client is told when its request cannot be answered: the error object of OpenAI's interface.
//
//   {"error": {"message": "...", "type": "invalid_request_error", "param": "rows[3].age", "code": "wrong_type"}}
#pragma once

#include <string>
#include <string_view>

#include "danlu/base/error.h"
#include "danlu/serve/http/message.h"

namespace danlu::serve {

// Ends a request with a status and a message for the client. `param` is the place in the request, or empty; `code` a
// word that programs can test.
class RequestError : public Error {
 public:
  RequestError(int status, std::string_view code, std::string_view message, std::string_view param = "");
  int status() const { return status_; }
  const std::string& code() const { return code_; }
  const std::string& param() const { return param_; }

 private:
  int status_;
  std::string code_;
  std::string param_;
};

// The answer for it. 429 and 503 carry Retry-After.
HttpResponse error_response(const RequestError& error);

}  // namespace danlu::serve
