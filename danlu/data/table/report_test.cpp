#include "danlu/data/table/report.h"

#include <gtest/gtest.h>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/rng.h"
#include "danlu/data/table/csv.h"
#include "danlu/data/table/leak.h"

namespace danlu::data {
namespace {

TableReport report(const std::string& csv, const std::string& target, const ReportOptions& options = {}) {
  const Table table = parse_csv(csv, "t.csv");
  return report_table(table, infer_schema(table), target, options);
}

const Finding* find(const TableReport& r, const std::string& check, const std::string& column) {
  for (const Finding& finding : r.findings) {
    if (finding.check == check && finding.column == column) return &finding;
  }
  return nullptr;
}

std::string noisy(int64_t rows) {
  Rng rng(5);
  std::string text = "id,x,code,gap,same,y\n";
  for (int64_t i = 0; i < rows; ++i) {
    const bool sick = rng.below(4) == 0;
    text += fmt::format("{},{:.4f},{},{},k,{}\n", i, rng.normal() + (sick ? 1 : 0),
                        sick    ? "S1"
                        : i % 2 ? "H1"
                                : "H2",
                        i % 5 == 0 ? "1.5" : "", sick ? "sick" : "healthy");
  }
  return text;
}

TEST(TableReport, FindsWhatIsWrong) {
  const TableReport r = report(noisy(300), "y");
  EXPECT_FALSE(r.passed());
  ASSERT_NE(find(r, "leak", "code"), nullptr);
  EXPECT_EQ(find(r, "leak", "code")->severity, Severity::failure);
  EXPECT_EQ(find(r, "leak", "x"), nullptr);
  EXPECT_EQ(find(r, "leak", "id"), nullptr) << "an id is a group of one everywhere";
  EXPECT_NE(find(r, "missing", "gap"), nullptr);
  EXPECT_NE(find(r, "constant", "same"), nullptr);
  EXPECT_NE(find(r, "id", "id"), nullptr);
  EXPECT_EQ(r.classes[0].first, "healthy");
  EXPECT_EQ(r.classes[0].second + r.classes[1].second, 300);
  EXPECT_EQ(r.findings[0].severity, Severity::failure) << "the gravest first";

  ReportOptions lenient;
  lenient.max_leak = 1;
  EXPECT_TRUE(report(noisy(300), "y", lenient).passed());
}

TEST(TableReport, DuplicatesAndConflicts) {
  const TableReport r = report("a,b,y\n1,u,p\n1,u,p\n1,u,q\n2,u,q\n", "y");
  EXPECT_EQ(r.duplicates, 1);
  EXPECT_EQ(r.conflicts, 1);
  ReportOptions strict;
  strict.max_duplicates = 0.1;
  const TableReport failed = report("a,b,y\n1,u,p\n1,u,p\n1,u,q\n2,u,q\n", "y", strict);
  ASSERT_NE(find(failed, "duplicates", ""), nullptr);
  EXPECT_EQ(find(failed, "duplicates", "")->severity, Severity::failure);
}

TEST(TableReport, Classes) {
  const TableReport one = report("a,y\n1,p\n2,p\n", "y");
  EXPECT_EQ(find(one, "classes", "y")->severity, Severity::failure);
  std::string rare = "a,y\n";
  for (int i = 0; i < 60; ++i) rare += fmt::format("{},{}\n", i * 7 % 13, i < 2 ? "rare" : "common");
  EXPECT_EQ(find(report(rare, "y"), "classes", "y")->severity, Severity::warning);
}

TEST(TableReport, BadCellsAndBrokenCharacters) {
  std::string text = "n,w,y\n";
  for (int i = 0; i < 40; ++i)
    text += fmt::format("{},{},{}\n", i == 6 ? "inf" : std::to_string(i * i), i == 7 ? "caf\xC3\x83\xC2\xA9" : "tea",
                        i % 2);
  const TableReport r = report(text, "y");
  ASSERT_NE(find(r, "bad_cells", "n"), nullptr);
  EXPECT_NE(find(r, "bad_cells", "n")->text.find("t.csv:8 \"inf\""), std::string::npos)
      << find(r, "bad_cells", "n")->text;
  EXPECT_NE(find(r, "encoding", "w"), nullptr);
}

TEST(TableReport, TextAndJson) {
  const TableReport r = report(noisy(100), "y");
  const std::string text = to_text(r);
  for (const char* word : {"100 rows, 6 columns", "classes of \"y\"", "failure: column \"code\"", "verdict: failed"}) {
    EXPECT_NE(text.find(word), std::string::npos) << word << "\n" << text;
  }
  const Json json = to_json(r);
  EXPECT_EQ(json["verdict"], "failed");
  EXPECT_EQ(json["columns"].size(), 6u);
  EXPECT_EQ(json["columns"][3]["missing"], 80);
  EXPECT_THROW(report("a,y\n1,p\n", "z"), DataError);
  EXPECT_TRUE(report("a,y\n1,p\n2,q\n", "").passed()) << "no target, no classes to miss";
}

TEST(Leak, RegressionTargetInDisguise) {
  Rng rng(3);
  std::vector<double> y, noise;
  std::string text = "copy,noise\n";
  for (int i = 0; i < 2000; ++i) {
    y.push_back(rng.normal());
    text += fmt::format("{},{}\n", 3 * y.back() + 2, rng.normal());
  }
  const Table table = parse_csv(text, "t.csv");
  const std::vector<int64_t> rows = all_rows(table);
  EXPECT_GT(determines_value(group_rows(table, 0, ColumnType::number, rows), y), 0.97);
  EXPECT_LT(determines_value(group_rows(table, 1, ColumnType::number, rows), y), 0.1);
}

}  // namespace
}  // namespace danlu::data
