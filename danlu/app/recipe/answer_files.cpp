#include "danlu/app/recipe/answer_files.h"

#include <map>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/table/read_table.h"

namespace danlu::app {
namespace {

constexpr const char* kQuestion = "question";
constexpr const char* kConversation = "conversation";

void answer_table(const infer::Answerer& answerer, const fs::path& file, AnswerForm form, const data::CsvOptions& csv, std::string& answers) {
  const data::Table table = data::read_table(file, csv);
  const int64_t question = table.column_index(kQuestion);
  const auto conversation = table.find_column(kConversation);
  std::map<std::string, std::vector<std::string>> asked;  // by conversation
  for (int64_t row = 0; row < table.num_rows(); ++row) {
    const data::Cell cell = table.cell(row, question);
    const std::string text(data::is_missing(cell) ? std::string_view() : std::string_view(cell));
    std::vector<std::string>* before = nullptr;
    if (conversation && !data::is_missing(table.cell(row, *conversation))) before = &asked[std::string(table.cell(row, *conversation))];
    infer::Answer answer;
    try {
      answer = answerer.answer(text, before != nullptr ? std::span<const std::string>(*before) : std::span<const std::string>());
    } catch (const DataError& error) {
      throw DataError("app.predict", fmt::format("{}: {}", table.place(row, question), error.message()));
    }
    if (before != nullptr) before->push_back(text);
    if (form == AnswerForm::jsonl) {
      Json line = {{"line", table.line(row)}, {"question", text}};
      line.update(infer::to_json(answer));
      answers += to_line(line) + "\n";
    } else {
      const infer::Answer::Source& source = answer.sources.front();
      answers += fmt::format("{},{},{},{},{},{},{}\n", table.line(row), data::csv_cell(text), answer.hand_over ? "true" : "false", answer.confidence, data::csv_cell(answer.text), data::csv_cell(source.question), data::csv_cell(source.url));
    }
  }
}

}  // namespace

std::string answer_files(const infer::Answerer& answerer, const std::vector<fs::path>& inputs, AnswerForm form, const data::CsvOptions& csv) {
  std::string answers = form == AnswerForm::csv ? "line,question,hand_over,confidence,answer,source,url\n" : "";
  for (const fs::path& input : inputs) answer_table(answerer, input, form, csv, answers);
  return answers;
}

}  // namespace danlu::app
