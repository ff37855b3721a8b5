// A request and a response, as the routes see them: received whole, its limits already checked.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace danlu::serve {

struct HttpRequest {
  std::string method;
  std::string path;
  std::map<std::string, std::string> query;  // decoded; the first value of a name that comes twice
  std::string content_type;                  // as sent: "multipart/form-data; boundary=x"; empty if there was none
  std::string body;
  std::string id;  // X-Request-Id of the client, or one of our own
};

struct HttpResponse {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};  // more than the usual ones
};

// The media type without its parameters, in lower case: "multipart/form-data".
std::string media_type(std::string_view content_type);

}  // namespace danlu::serve
