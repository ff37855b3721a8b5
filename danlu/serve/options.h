// The switches of `danlu serve`: those of its parts, and its own.
#pragma once

#include "danlu/base/options.h"
#include "danlu/infer/generator.h"
#include "danlu/serve/batcher.h"
#include "danlu/serve/conversations.h"
#include "danlu/serve/http/options.h"

namespace danlu::serve {

struct ServeOptions {
  HttpOptions http = {};
  BatchOptions batch = {};  // of each model
  // Of each language model; its queue_capacity and threads are those of `batch`.
  infer::GeneratorOptions generation = {};
  ConversationOptions conversations = {};  // with FAQs
  bool metrics = true;

  // One flat list: a user need not know which part a switch belongs to.
  void describe(OptionVisitor& v) {
    http.describe(v);
    batch.describe(v);
    v.field("max_sequences", generation.max_sequences, {1, 1024},
            "texts that a language model writes at the same time");
    v.field("prefill_chunk", generation.prefill_chunk, {1, 1e6}, "prompt tokens that one of its steps takes in");
    generation.decoding.describe(v);
    v.field("max_conversations", conversations.most, {1, 1e6}, "conversations with FAQs that are remembered; the one that was silent longest goes first");
    v.field("conversation_idle_s", conversations.idle_s, {1, 1e6}, "how long one is remembered in which nothing is said");
    v.field("metrics", metrics, "answer GET /metrics");
  }
};

}  // namespace danlu::serve
