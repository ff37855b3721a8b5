#include "danlu/serve/http/event_stream.h"

#include <string>
#include <utility>

namespace danlu::serve {

bool EventStream::send(std::string_view data) {
  std::string event;
  for (;;) {
    const size_t end = data.find('\n');
    event.append("data: ").append(data.substr(0, end)).append("\n");
    if (end == std::string_view::npos) break;
    data.remove_prefix(end + 1);
  }
  return writer_.write(event + "\n");
}

bool EventStream::ping() { return writer_.write(": ping\n\n"); }

HttpResponse event_stream(std::function<void(EventStream&)> events) {
  HttpResponse response{.content_type = "text/event-stream"};
  response.headers.emplace_back("Cache-Control", "no-cache");
  response.headers.emplace_back("X-Accel-Buffering", "no");  // nginx would collect the pieces
  response.stream = [events = std::move(events)](BodyWriter& writer) {
    EventStream stream(writer);
    events(stream);
  };
  return response;
}

}  // namespace danlu::serve
