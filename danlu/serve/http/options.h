// Where the HTTP server listens and what it grants one client.
#pragma once

#include <cstdint>
#include <string>

#include "danlu/base/options.h"

namespace danlu::serve {

struct HttpOptions {
  std::string host = "127.0.0.1";
  int64_t port = 8080;
  int64_t max_connections = 512;
  int64_t max_body_bytes = int64_t{16} << 20;
  int64_t max_buffered_bytes = int64_t{256} << 20;
  int64_t receive_timeout_ms = 10'000;
  int64_t idle_timeout_ms = 30'000;
  int64_t send_timeout_ms = 10'000;
  int64_t drain_timeout_ms = 30'000;

  void describe(OptionVisitor& v) {
    v.field("host", host, "address to listen on; 0.0.0.0 opens the server to the network");
    v.field("port", port, {0, 65535}, "TCP port; 0 takes any free one");
    v.field("max_connections", max_connections, {1, 4096}, "open connections; one more is told 503 and closed");
    v.field("max_body_bytes", max_body_bytes, {1, 1e10}, "largest request body, after decompression; more is a 413");
    v.field("max_buffered_bytes", max_buffered_bytes, {1, 1e12}, "request bodies in memory at once; more is a 503");
    v.field("receive_timeout_ms", receive_timeout_ms, {1, 3.6e6},
            "time for a whole request to arrive, first byte to last");
    v.field("idle_timeout_ms", idle_timeout_ms, {1, 3.6e6},
            "time that a connection may stay open between two requests");
    v.field("send_timeout_ms", send_timeout_ms, {1, 3.6e6},
            "time for a client to take the answer, or each piece of one that streams");
    v.field("drain_timeout_ms", drain_timeout_ms, {0, 3.6e6},
            "time that long answers have to end when the server stops");
  }
};

}  // namespace danlu::serve
