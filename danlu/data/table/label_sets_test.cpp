#include "danlu/data/table/label_sets.h"

#include <gmock/gmock.h>

#include "danlu/base/error.h"
#include "danlu/data/table/csv.h"
#include "danlu/data/table/preprocessor.h"

namespace danlu::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <class Work>
std::string message(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(LabelSets, OfLists) {
  const Table table = parse_csv("text,tags\na,\"red, big\"\nb,red\nc,\" big ,red,red\"\nd,\"blue,\"\ne,big\nf,\n", "lists.csv");
  const std::vector<int64_t> training = {0, 1, 2, 3, 4};
  const LabelSets sets = LabelSets::from_lists(table, training, "tags", ",", 2);
  EXPECT_THAT(sets.names(), ElementsAre("big", "red"));
  EXPECT_THAT(sets.reason(), HasSubstr("1 that are rarer"));
  const Tensor y = sets.encode(table, training);
  EXPECT_EQ(y.shape(), (Shape{5, 2}));
  EXPECT_THAT(y.to_vector(), ElementsAre(1, 1, 0, 1, 1, 1, 0, 0, 1, 0)) << "spaces, repetitions and rare labels say nothing";
  const Json saved = sets.to_json();
  EXPECT_EQ(LabelSets::from_json(SavedState(saved, "labels")).encode(table, training).to_vector(), y.to_vector());
  EXPECT_THAT(message([&] { sets.encode(table, std::vector<int64_t>{5}); }), HasSubstr("lists.csv:7 column \"tags\""));
  EXPECT_THAT(message([&] { LabelSets::from_lists(table, training, "tags", ";", 2); }), testing::AllOf(HasSubstr("5 different labels between \";\""), HasSubstr("is the separator right?")));
}

TEST(LabelSets, OfColumns) {
  const Table table = parse_csv("text,spam,urgent\na,1,no\nb,0,Yes\nc,TRUE,false\nd,maybe,no\n", "columns.csv");
  const std::vector<int64_t> training = {0, 1, 2};
  const LabelSets sets = LabelSets::from_columns(table, training, {"urgent", "spam"});
  EXPECT_THAT(sets.names(), ElementsAre("urgent", "spam")) << "in the order given";
  EXPECT_THAT(sets.encode(table, training).to_vector(), ElementsAre(0, 1, 1, 0, 0, 1));
  const Json saved = sets.to_json();
  EXPECT_EQ(LabelSets::from_json(SavedState(saved, "labels")).names(), sets.names());
  EXPECT_THAT(message([&] { sets.encode(table, std::vector<int64_t>{3}); }), testing::AllOf(HasSubstr("columns.csv:5 column \"spam\""), HasSubstr("\"maybe\""), HasSubstr("1 or 0")));
  EXPECT_THAT(message([&] { LabelSets::from_columns(table, std::vector<int64_t>{0, 2}, {"urgent", "spam"}); }), HasSubstr("label \"urgent\": 0 of 2 training rows have it"));
  EXPECT_THAT(message([&] { LabelSets::from_columns(table, training, {"spam"}); }), HasSubstr("at least two"));
  EXPECT_THAT(message([&] { LabelSets::from_columns(table, training, {"urgnt", "spam"}); }), HasSubstr("did you mean \"urgent\"?"));
}

TEST(LabelSets, DamagedStateIsRefused) {
  for (const char* damaged : {R"({"columns": ["a"], "separator": "", "reason": "", "names": ["x", "y"]})", R"({"columns": ["a"], "separator": ",", "reason": "", "names": ["x", "x"]})",
                              R"({"columns": ["a"], "separator": ",", "reason": "", "names": ["x"]})", R"({"columns": ["a", "b"], "separator": ",", "reason": "", "names": ["x", "y"]})",
                              R"({"separator": ",", "reason": "", "names": ["x", "y"]})"}) {
    const Json json = parse_json(damaged, "labels");
    EXPECT_THROW(LabelSets::from_json(SavedState(json, "labels")), DataError) << damaged;
  }
}

TEST(LabelSets, AreNoFeaturesOfATable) {
  const Table table = parse_csv("size,spam,urgent\n1,1,no\n2,0,yes\n3,1,no\n4,0,no\n", "columns.csv");
  TableOptions options;
  options.labels = {"spam", "urgent"};
  const auto preprocessor = TablePreprocessor::fit(table, all_rows(table), infer_schema(table), options);
  EXPECT_THAT(preprocessor.input_columns(), ElementsAre("size"));
  EXPECT_EQ(preprocessor.task(), TaskKind::multilabel);
  EXPECT_THAT(TablePreprocessor::from_json(preprocessor.to_json()).class_names(), ElementsAre("spam", "urgent"));
  options.target = "size";
  EXPECT_THAT(message([&] { TablePreprocessor::fit(table, all_rows(table), infer_schema(table), options); }), HasSubstr("data.labels and data.target"));
}

}  // namespace
}  // namespace danlu::data
