#include "danlu/data/text/vocabulary_json.h"

#include <algorithm>
#include <utility>

#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.tokenizer";
constexpr size_t kMaxDepth = 128;

// Builds the rest as values; what belongs to the vocabulary and the merges never becomes one.
class Handler final : public Json::json_sax_t {
 public:
  Handler(std::string_view text, std::string_view source, VocabularyPlace place)
      : text_(text), source_(source), place_(place) {}

  VocabularyJson take() { return std::move(json_); }

  bool null() override { return scalar(nullptr); }
  bool boolean(bool value) override { return scalar(value); }
  bool number_integer(int64_t value) override { return in_ == In::vocab ? token(value) : scalar(value); }
  bool number_unsigned(uint64_t value) override {
    if (in_ != In::vocab) return scalar(value);
    return token(static_cast<int64_t>(std::min<uint64_t>(value, INT64_MAX)));
  }
  bool number_float(double value, const std::string&) override { return scalar(value); }
  bool binary(Json::binary_t&) override { return scalar(nullptr); }  // JSON text has none

  bool string(std::string& value) override {
    if (in_ == In::merges) return merge(value);
    if (in_ != In::merge) return scalar(std::move(value));
    if (sides_ == 2) fail(fmt::format("got merge {} of more than two tokens; expected two", json_.merges.size() - 1));
    auto& [left, right] = json_.merges.back();
    (sides_++ == 0 ? left : right) = std::move(value);
    return true;
  }
  bool key(std::string& value) override {
    key_ = std::move(value);
    return true;
  }

  bool start_object(size_t) override {
    if (in_ == In::rest && begins_vocab()) {
      in_ = In::vocab;
      return true;
    }
    expect_rest("an object");
    open(Json::object());
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(size_t) override {
    if (in_ == In::merges) {
      in_ = In::merge;
      sides_ = 0;
      json_.merges.emplace_back();
      return true;
    }
    if (in_ == In::rest && in_model() && key_ == "merges") {
      in_ = In::merges;
      return true;
    }
    expect_rest("a list");
    open(Json::array());
    return true;
  }
  bool end_array() override {
    if (in_ != In::merge) return close();
    if (sides_ != 2) fail(fmt::format("got merge {} of one token; expected two", json_.merges.size() - 1));
    in_ = In::merges;
    return true;
  }

  bool parse_error(size_t byte, const std::string&, const Json::exception& error) override {
    const std::string_view before = text_.substr(0, std::min(byte > 0 ? byte - 1 : 0, text_.size()));
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
    const std::string_view reason = error.what();
    throw DataError(kWhere, fmt::format("{}:{}:{}: not valid JSON: {}", source_, line, before.size() - line_begin + 1,
                                        reason.substr(std::min(reason.find("] ") + 2, reason.size()))));
  }

 private:
  enum class In { rest, vocab, merges, merge };

  [[noreturn]] void fail(const std::string& message) const {
    throw DataError(kWhere, fmt::format("{}: {}", source_, message));
  }
  void expect_rest(const char* what) const {
    if (in_ == In::rest) return;
    if (in_ == In::vocab) fail(fmt::format("got {} for token \"{}\"; expected its id", what, key_));
    fail(
        fmt::format("got {} as merge {}; expected \"left right\" or [\"left\", \"right\"]", what, json_.merges.size()));
  }

  bool in_model() const { return place_ == VocabularyPlace::model && open_.size() == 2 && model_is_open_; }
  bool begins_vocab() const { return place_ == VocabularyPlace::whole ? open_.empty() : in_model() && key_ == "vocab"; }

  void open(Json value) {
    if (open_.size() == kMaxDepth) fail(fmt::format("got more than {} nested levels", kMaxDepth));
    if (open_.size() == 1) model_is_open_ = open_[0]->is_object() && key_ == "model" && value.is_object();
    open_.push_back(&add(std::move(value)));
  }
  bool close() {
    if (in_ == In::rest) {
      open_.pop_back();
    } else {
      in_ = In::rest;
    }
    return true;
  }
  // Into the value that is open.
  Json& add(Json value) {
    if (open_.empty()) return json_.rest = std::move(value);
    Json& parent = *open_.back();
    if (parent.is_object()) return parent[key_] = std::move(value);
    return parent.emplace_back(std::move(value));
  }

  bool scalar(Json value) {
    expect_rest("something else");
    add(std::move(value));
    return true;
  }
  bool token(int64_t id) {
    json_.vocab.emplace_back(std::move(key_), id);
    return true;
  }
  bool merge(const std::string& text) {
    const size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) {
      fail(fmt::format("got merge {} \"{}\"; expected two tokens with one space between them", json_.merges.size(),
                       text));
    }
    json_.merges.emplace_back(text.substr(0, space), text.substr(space + 1));
    return true;
  }

  std::string_view text_, source_;
  VocabularyPlace place_;
  VocabularyJson json_;
  In in_ = In::rest;
  std::vector<Json*> open_;  // values that have begun, each in the one before it
  bool model_is_open_ = false;
  std::string key_;
  int sides_ = 0;  // of the merge being read
};

}  // namespace

VocabularyJson parse_vocabulary_json(std::string_view text, std::string_view source, VocabularyPlace place) {
  Handler handler(text, source, place);
  Json::sax_parse(text.begin(), text.end(), &handler);
  return handler.take();
}

}  // namespace danlu::data
