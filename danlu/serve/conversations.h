// What the people of a server asked before: a few turns of each conversation, for a while.
//
// A conversation is known by a number that nobody guesses, and belongs to one model. It is forgotten when nothing was said in it for
// idle_s, or when there is no room: then the one that was silent longest goes.
// Threads   any number at once.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace danlu::serve {

struct ConversationOptions {
  int64_t most = 10'000;
  double idle_s = 1800;
};

class Conversations {
 public:
  // `now` in seconds, never falling; by default a clock of the machine.
  explicit Conversations(const ConversationOptions& options, std::function<double()> now = {});

  // A new one, and its id.
  std::string begin(const std::string& model);
  // What was said in it, the latest last; nothing if there is no such conversation with that model, or no more.
  std::optional<std::vector<std::string>> turns(const std::string& id, const std::string& model);
  // Keeps the last `most_turns` of it. Nothing happens if it has been forgotten.
  void add(const std::string& id, std::string turn, size_t most_turns);

  int64_t size();

 private:
  struct Conversation {
    std::string id, model;
    std::vector<std::string> turns;
    double last;  // when something was said
  };
  void forget_idle();
  std::list<Conversation>::iterator touch(std::list<Conversation>::iterator conversation);

  const ConversationOptions options_;
  const std::function<double()> now_;
  std::mutex mutex_;
  std::list<Conversation> conversations_;  // the one that was silent longest first
  std::unordered_map<std::string, std::list<Conversation>::iterator> by_id_;
};

}  // namespace danlu::serve
