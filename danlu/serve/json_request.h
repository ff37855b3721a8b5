// The JSON object of a request, read field by field: typed, with errors that name the place.
//
//   const Json body = parse_json_request(http);
//   const Fields fields(body);
//   const bool stream = fields.boolean("stream").value_or(false);    // 400: stream is a string; expected true or false
//
// A null counts as absent. Fields that nobody asks for are ignored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "danlu/base/json.h"
#include "danlu/serve/http/message.h"

namespace danlu::serve {

// Throws RequestError: 400 unless the body is JSON, of objects whose members can be read in reasonable time.
Json parse_json_body(const std::string& body);
// The same, and 400 unless it is an object.
Json parse_json_request(const HttpRequest& http);

class Fields {
 public:
  // `object` must outlive this. `place` is where it stands: "messages[2]"; empty for the request itself.
  explicit Fields(const Json& object, std::string place = "");

  const Json* find(const std::string& name) const;  // null if absent
  // Throw RequestError for a value of another type, or out of range.
  std::optional<bool> boolean(const std::string& name) const;
  std::optional<int64_t> integer(const std::string& name, int64_t low, int64_t high) const;
  std::optional<std::string> string(const std::string& name) const;
  const Json* array(const std::string& name) const;
  const Json* object(const std::string& name) const;

  std::string place(const std::string& name) const;

 private:
  const Json& object_;
  std::string place_;
};

// 400: PLACE is a number; expected a string.
[[noreturn]] void wrong_type(const std::string& place, const Json& got, const std::string& expected);
// 400 with the code "bad_value".
[[noreturn]] void bad_value(const std::string& place, const std::string& message);

}  // namespace danlu::serve
