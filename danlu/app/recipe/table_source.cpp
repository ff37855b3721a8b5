#include "danlu/app/recipe/labelled_table.h"
#include "danlu/data/table/preprocessor.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/infer/background.h"

namespace danlu::app {
namespace {

class TableSource : public LabelledTable {
 public:
  using LabelledTable::LabelledTable;

  infer::InputKind kind() const override { return infer::InputKind::table; }

  FittedData fit(std::span<const int64_t> training) const override {
    const auto preprocessor = data::TablePreprocessor::fit(table_, training, schema_, options_.table);
    const std::vector<int64_t> all = data::all_rows(table_);
    FittedData fitted;
    fitted.task = preprocessor.task();
    fitted.class_names = names_of(preprocessor.class_names());
    fitted.heads = heads_of(preprocessor.target_encoder());
    fitted.input_shape = Shape{preprocessor.num_features()};
    fitted.preprocess = preprocessor.to_json();
    fitted.reasons = preprocessor.reasons();
    fitted.training_samples = preprocessor.training_rows();
    Tensor features = preprocessor.apply(table_, all);
    if (fitted.task == data::TaskKind::clustering) {
      fitted.dataset = std::make_unique<data::TensorDataset>(std::move(features), Tensor::zeros({table_.num_rows()}));
      return fitted;
    }
    fitted.background = infer::make_background(preprocessor, features, fitted.training_samples);
    if (unlabelled_.num_rows() > 0) features = concat({features, preprocessor.apply(unlabelled_)}, 0);
    fitted.dataset = with_partners(std::make_unique<data::TensorDataset>(std::move(features), with_unlabelled(preprocessor.labels(table_, all))));
    return fitted;
  }

 private:
  data::TargetEncoder target_of(const Json& preprocess) const override { return data::TablePreprocessor::from_json(preprocess).target_encoder(); }
};

}  // namespace

std::unique_ptr<DataSource> open_table(const DataSection& options, Labels labels, int64_t partners) {
  return std::make_unique<TableSource>(options, labels, partners);
}

}  // namespace danlu::app
