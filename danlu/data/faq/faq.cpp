#include "danlu/data/faq/faq.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/utf8.h"
#include "danlu/data/text/search_terms.h"
#include "danlu/data/text/trim.h"

namespace danlu::data {
namespace {

constexpr const char* kWhere = "data.faq";

class Reader {
 public:
  Reader(const Table& table, const FaqOptions& options)
      : table_(table), options_(options), question_(table.column_index(options.question)), answer_(table.column_index(options.answer)), url_(find_url()) {}

  FaqTable read() {
    found_.rows = table_.num_rows();
    for (int64_t row = 0; row < table_.num_rows(); ++row) add(row);
    if (entries_.empty()) throw DataError(kWhere, fmt::format("{}: got no question with an answer from {} rows; expected some to answer from", table_.source(), table_.num_rows()));
    found_.faq = Faq(std::move(entries_));
    return std::move(found_);
  }

 private:
  // A file of questions and answers alone is enough, unless its author says that there is more.
  std::optional<int64_t> find_url() const {
    if (options_.url.empty() || (options_.url == FaqOptions().url && !table_.find_column(options_.url))) return std::nullopt;
    return table_.column_index(options_.url);
  }

  std::string_view text(int64_t row, int64_t column) const {
    const Cell cell = table_.cell(row, column);
    return is_missing(cell) ? std::string_view() : trimmed(cell);
  }

  void leave_out(const std::string& message) {
    if (options_.on_bad_row != "drop") throw DataError(kWhere, message + "; to leave such rows out set data.faq.on_bad_row: drop");
    ++found_.bad_rows;
  }

  void add(int64_t row) {
    const std::string_view question = text(row, question_), answer = text(row, answer_);
    if (question.empty()) return leave_out(fmt::format("{}: got nothing; expected a question", table_.place(row, question_)));
    if (answer.empty()) return leave_out(fmt::format("{}: got nothing; expected an answer", table_.place(row, answer_)));
    const auto [entry, is_new] = by_answer_.try_emplace(std::string(answer), entries_.size());
    const auto [asked, is_new_question] = by_question_.try_emplace(folded(question), Asked{entry->second, table_.line(row)});
    if (!is_new_question) {
      if (asked->second.entry == entry->second) {
        ++found_.repeated_rows;
      } else {
        if (is_new) by_answer_.erase(entry);
        leave_out(fmt::format("{}: got \"{}\", which line {} answers otherwise; expected one answer to a question", table_.place(row, question_), question, asked->second.line));
      }
      return;
    }
    if (is_new) entries_.push_back({std::to_string(entries_.size() + 1), {}, std::string(answer), url_ ? std::string(text(row, *url_)) : ""});
    entries_[entry->second].questions.emplace_back(question);
  }

  struct Asked {
    size_t entry;
    int64_t line;
  };
  const Table& table_;
  const FaqOptions& options_;
  int64_t question_, answer_;
  std::optional<int64_t> url_;
  std::unordered_map<std::string, size_t> by_answer_;
  std::unordered_map<std::string, Asked> by_question_;
  std::vector<FaqEntry> entries_;
  FaqTable found_;
};

// Where a text of more than `bytes` bytes is best cut: behind a sentence, else behind a word, else behind a character.
size_t cut(std::string_view text, size_t bytes) {
  for (const std::string_view end : {". ", "? ", "! ", "; ", "。", "？", "！", "；", ", ", "，", " "}) {
    const size_t at = text.rfind(end, bytes - end.size());
    if (at != std::string_view::npos && at >= bytes / 3) return at + end.size();
  }
  size_t at = bytes;
  while (at > 1 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  return at;
}

}  // namespace

void FaqOptions::describe(OptionVisitor& v) {
  v.field("question", question, "the column of questions; several rows with one answer are several ways to ask for it");
  v.field("answer", answer, "the column of answers");
  v.field("url", url, "the column that says where an answer stands, to be cited; empty: none");
  v.field("off_topic", off_topic, "tables with a column of questions, called the same, that these answers do not answer: by them and the validation questions confidence is measured");
  v.choice("on_bad_row", on_bad_row, {"error", "drop"}, "a row without question or answer, or with a question that an earlier row answers otherwise");
}

Faq::Faq(std::vector<FaqEntry> entries) : entries_(std::move(entries)) {
  if (entries_.empty()) throw DataError(kWhere, "got no entry; expected at least one");
  std::unordered_set<std::string_view> ids;
  for (const FaqEntry& e : entries_) {
    if (!ids.insert(e.id).second) throw DataError(kWhere, fmt::format("got two entries \"{}\"; expected an id of its own for each", e.id));
    const bool asked = !e.questions.empty() && std::none_of(e.questions.begin(), e.questions.end(), [](const std::string& q) { return trimmed(q).empty(); });
    if (!asked || trimmed(e.answer).empty()) throw DataError(kWhere, fmt::format("entry \"{}\": got one without {}; expected both", e.id, asked ? "answer" : "question"));
  }
}

Json Faq::to_json() const {
  Json list = Json::array();
  for (const FaqEntry& e : entries_) list.push_back({{"id", e.id}, {"questions", e.questions}, {"answer", e.answer}, {"url", e.url}});
  return {{"entries", std::move(list)}};
}

Faq Faq::from_json(const Json& json, const std::string& source) {
  try {
    std::vector<FaqEntry> entries;
    if (!json.at("entries").is_array()) throw DataError(kWhere, fmt::format("entries: got {}; expected a list", json.at("entries").type_name()));
    for (const Json& e : json.at("entries")) {
      entries.push_back({e.at("id").get<std::string>(), e.at("questions").get<std::vector<std::string>>(), e.at("answer").get<std::string>(), e.at("url").get<std::string>()});
    }
    return Faq(std::move(entries));
  } catch (const Json::exception& error) {
    throw DataError(kWhere, fmt::format("{}: {}", source, error.what()));
  } catch (const DataError& error) {
    throw DataError(kWhere, fmt::format("{}: {}", source, error.message()));
  }
}

int64_t Faq::num_questions() const {
  int64_t count = 0;
  for (const FaqEntry& e : entries_) count += std::ssize(e.questions);
  return count;
}

Hash128 Faq::hash() const { return hash_text(to_line(to_json())); }

FaqTable read_faq(const Table& table, const FaqOptions& options) { return Reader(table, options).read(); }

std::vector<std::string> read_questions(const Table& table, const FaqOptions& options) {
  const int64_t column = table.column_index(options.question);
  std::unordered_set<std::string> seen;
  std::vector<std::string> questions;
  for (int64_t row = 0; row < table.num_rows(); ++row) {
    const Cell cell = table.cell(row, column);
    const std::string_view question = is_missing(cell) ? std::string_view() : trimmed(cell);
    if (!question.empty() && seen.insert(folded(question)).second) questions.emplace_back(question);
  }
  return questions;
}

std::vector<std::string> passages_of(std::string_view answer, size_t bytes) {
  std::vector<std::string> passages;
  std::string open;
  const auto close = [&] {
    if (!open.empty()) passages.push_back(std::move(open));
    open.clear();
  };
  while (!answer.empty()) {
    const size_t end = answer.find('\n');
    std::string_view paragraph = trimmed(answer.substr(0, end));
    answer = end == std::string_view::npos ? std::string_view() : answer.substr(end + 1);
    if (!open.empty() && open.size() + paragraph.size() > bytes) close();
    while (paragraph.size() > 2 * bytes) {
      close();
      const size_t at = cut(paragraph, bytes);
      passages.emplace_back(trimmed(paragraph.substr(0, at)));
      paragraph = trimmed(paragraph.substr(at));
    }
    if (!open.empty() && !paragraph.empty()) open += ' ';
    open += paragraph;
  }
  close();
  return passages;
}

}  // namespace danlu::data
