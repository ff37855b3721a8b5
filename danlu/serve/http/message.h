// A request and a response, as the routes see them: received whole, its limits already checked.
#pragma once

#include <functional>
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
  // Whether nobody waits for the answer any more: the client has gone, or the server's time to stop is over. To be
  // asked now and then during long work, on the connection's thread, until the answer is made.
  std::function<bool()> is_abandoned = [] { return false; };
};

// Takes a body whose pieces are sent as they are made.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  // Sends a piece at once. False if the client is gone or does not take it in time: there is no use in making more.
  virtual bool write(std::string_view piece) = 0;
};

struct HttpResponse {
  int status = 200;
  std::string body = {};
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};  // more than the usual ones
  // If set, writes the body of a 200 in place of `body`, on the connection's thread, after the header has been sent. An
  // exception, or a false answer of the writer, breaks the connection off, so that the client sees that the end is
  // missing.
  std::function<void(BodyWriter&)> stream = {};
};

// The media type without its parameters, in lower case: "multipart/form-data".
std::string media_type(std::string_view content_type);

}  // namespace danlu::serve
