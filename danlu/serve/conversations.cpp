#include "danlu/serve/conversations.h"

#include <chrono>
#include <iterator>
#include <random>
#include <utility>

#include "danlu/base/format.h"

namespace danlu::serve {
namespace {

double seconds_of_machine() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// 128 bits from the system.
std::string secret() {
  std::random_device random;
  std::string text;
  for (int i = 0; i < 4; ++i) text += fmt::format("{:08x}", random());
  return text;
}

}  // namespace

Conversations::Conversations(const ConversationOptions& options, std::function<double()> now) : options_(options), now_(now ? std::move(now) : seconds_of_machine) {}

void Conversations::forget_idle() {
  const double oldest = now_() - options_.idle_s;
  while (!conversations_.empty() && conversations_.front().last < oldest) {
    by_id_.erase(conversations_.front().id);
    conversations_.pop_front();
  }
}

std::list<Conversations::Conversation>::iterator Conversations::touch(std::list<Conversation>::iterator conversation) {
  conversation->last = now_();
  conversations_.splice(conversations_.end(), conversations_, conversation);
  return conversation;
}

std::string Conversations::begin(const std::string& model) {
  const std::string id = secret();
  const std::lock_guard lock(mutex_);
  forget_idle();
  if (static_cast<int64_t>(conversations_.size()) >= options_.most) {
    by_id_.erase(conversations_.front().id);
    conversations_.pop_front();
  }
  conversations_.push_back({id, model, {}, now_()});
  by_id_[id] = std::prev(conversations_.end());
  return id;
}

std::optional<std::vector<std::string>> Conversations::turns(const std::string& id, const std::string& model) {
  const std::lock_guard lock(mutex_);
  forget_idle();
  const auto found = by_id_.find(id);
  if (found == by_id_.end() || found->second->model != model) return std::nullopt;
  return touch(found->second)->turns;
}

void Conversations::add(const std::string& id, std::string turn, size_t most_turns) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  std::vector<std::string>& turns = touch(found->second)->turns;
  turns.push_back(std::move(turn));
  if (turns.size() > most_turns) turns.erase(turns.begin(), turns.end() - static_cast<std::ptrdiff_t>(most_turns));
}

int64_t Conversations::size() {
  const std::lock_guard lock(mutex_);
  forget_idle();
  return static_cast<int64_t>(conversations_.size());
}

}  // namespace danlu::serve
