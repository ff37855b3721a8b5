#include "danlu/app/recipe/recommend_files.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/table/read_table.h"

namespace danlu::app {
namespace {

constexpr const char* kItems = "items";

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t end = text.find('|');
    if (const auto word = text.substr(0, end); !word.empty()) words.emplace_back(word);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return words;
}

void answer_table(const infer::Recommender& recommender, const fs::path& file, AnswerForm form, int64_t k, const data::CsvOptions& csv, std::string& answers) {
  const data::Table table = data::read_table(file, csv);
  const auto user = table.find_column(recommender.user_column()), items = table.find_column(kItems);
  if (!user && !items) {
    throw DataError("app.predict", fmt::format("{}: got the columns {}; expected \"{}\", \"{}\" or both", file.string(), fmt::join(table.column_names(), ", "),
                                               recommender.user_column(), kItems));
  }
  for (int64_t row = 0; row < table.num_rows(); ++row) {
    infer::RecommendRequest request;
    request.k = k;
    if (user && !data::is_missing(table.cell(row, *user))) request.user = std::string(table.cell(row, *user));
    if (items && !data::is_missing(table.cell(row, *items))) request.items = split(table.cell(row, *items));
    const infer::Recommendations found = recommender.recommend(request);
    if (form == AnswerForm::jsonl) {
      Json line = {{"line", table.line(row)}};
      if (request.user) line["user"] = *request.user;
      line.update(infer::to_json(found));
      answers += to_line(line) + "\n";
      continue;
    }
    int64_t rank = 0;
    for (const auto& item : found.items) {
      answers += fmt::format("{},{},{},{},{},{},{}\n", table.line(row), data::csv_cell(request.user.value_or("")), found.by, ++rank, data::csv_cell(item.id), data::csv_cell(item.title), item.score);
    }
  }
}

}  // namespace

std::string recommend_files(const infer::Recommender& recommender, const std::vector<fs::path>& inputs, AnswerForm form, int64_t k, const data::CsvOptions& csv) {
  std::string answers = form == AnswerForm::csv ? "line,user,by,rank,item,title,score\n" : "";
  for (const fs::path& input : inputs) answer_table(recommender, input, form, k, csv, answers);
  return answers;
}

}  // namespace danlu::app
