// A request and its answer over a connection of its own.
#pragma once

#include <string>

#include "danlu/base/format.h"
#include "danlu/base/json.h"
#include "danlu/serve/testing.h"

namespace danlu::test {

using serve::RawClient;

struct Answer {
  int status = 0;  // 0: none came
  std::string header, body;

  Json json() const { return parse_json(body, "answer"); }
};

inline Answer read_answer(RawClient& client) {
  const std::string text = client.read_all();
  const size_t end = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.1 ") || end == std::string::npos) return {0, text, ""};
  return {std::stoi(text.substr(9, 3)), text.substr(0, end), text.substr(end + 4)};
}

inline Answer get(int port, const std::string& path) {
  RawClient client(port);
  client.send(fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path));
  return read_answer(client);
}

inline Answer post(int port, const std::string& body, const std::string& type = "application/json",
                   const std::string& path = "/v1/predict") {
  RawClient client(port);
  client.send(
      fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {}\r\n"
                  "Content-Length: {}\r\n\r\n{}",
                  path, type, body.size(), body));
  return read_answer(client);
}

}  // namespace danlu::test
