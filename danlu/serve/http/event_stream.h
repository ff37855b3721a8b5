// Server-sent events: an answer that arrives event by event (WHATWG HTML standard, section 9.2).
//
//   return event_stream([](EventStream& events) {
//     events.send(R"({"text":"fire"})");   // data: {"text":"fire"}
//     events.send("[DONE]");
//   });
#pragma once

#include <functional>
#include <string_view>

#include "danlu/serve/http/message.h"

namespace danlu::serve {

class EventStream {
 public:
  explicit EventStream(BodyWriter& writer) : writer_(writer) {}

  // One event; a line break within makes two lines of data. False if the client is gone.
  bool send(std::string_view data);
  // A comment, which clients ignore: proxies close connections that are silent for long.
  bool ping();

 private:
  BodyWriter& writer_;
};

// A 200 that sends what `events` sends. See HttpResponse::stream.
HttpResponse event_stream(std::function<void(EventStream&)> events);

}  // namespace danlu::serve
