#include "danlu/learn/train/contrastive_objective.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "danlu/base/error.h"
#include "danlu/data/dataset/pair_dataset.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/embedding.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/learn/models/retriever.h"
#include "danlu/learn/nn/layers.h"

namespace danlu::train {
namespace {

constexpr int64_t kPairs = 3;

// A text is the row of its first token.
class Table : public nn::Module {
 public:
  explicit Table(const Tensor& rows) : rows_(add_parameter("rows", rows)) {}
  Tensor forward(const Tensor& ids) override {
    Tensor first = Tensor::empty({ids.size(0)}, Dtype::i64);
    for (int64_t n = 0; n < ids.size(0); ++n) first.mutable_data<int64_t>()[n] = ids.data<int64_t>()[n * ids.size(1)];
    return embedding(first, rows_);
  }
  std::string describe() const override { return "Table"; }

 private:
  Tensor rows_;
};

// Texts 1 to 3 and 4 to 6 are the halves of three pairs: vectors of any length, by their angles.
const std::vector<double> kAngles = {0, 0.3, 1, 2, -0.5, 0.9, 1.6};

std::unique_ptr<models::Retriever> model() {
  Tensor rows = Tensor::empty({std::ssize(kAngles), 2});
  for (size_t i = 0; i < kAngles.size(); ++i) {
    const double length = 0.5 + static_cast<double>(i);
    rows.mutable_data()[2 * i] = static_cast<float>(length * std::cos(kAngles[i]));
    rows.mutable_data()[2 * i + 1] = static_cast<float>(length * std::sin(kAngles[i]));
  }
  return std::make_unique<models::Retriever>(std::make_unique<Table>(rows));
}

data::Batch batch_of(const std::vector<int64_t>& groups) {
  std::vector<data::TextPair> pairs;
  for (int64_t i = 0; i < kPairs; ++i) pairs.push_back({i, i + kPairs, groups[static_cast<size_t>(i)]});
  const data::PairDataset dataset({{1}, {2, 5}, {3}, {4}, {5}, {6, 1, 1}}, pairs);
  data::Batch batch;
  dataset.gather(std::vector<int64_t>{0, 1, 2}, batch);
  return batch;
}

// As the header has it, for pairs of groups of their own but for those that are left out.
double expected_loss(double temperature, const std::vector<int64_t>& groups) {
  const auto score = [&](int64_t i, int64_t j) { return std::cos(kAngles[static_cast<size_t>(1 + i)] - kAngles[static_cast<size_t>(4 + j)]) / temperature; };
  double sum = 0;
  for (int64_t i = 0; i < kPairs; ++i) {
    double by_first = 0, by_second = 0;
    for (int64_t j = 0; j < kPairs; ++j) {
      if (i != j && groups[static_cast<size_t>(i)] == groups[static_cast<size_t>(j)]) continue;
      by_first += std::exp(score(i, j));
      by_second += std::exp(score(j, i));
    }
    sum += std::log(by_first) + std::log(by_second) - 2 * score(i, i);
  }
  return sum / (2 * kPairs);
}

TEST(ContrastiveObjective, IsTheCrossEntropyOfBothDirections) {
  for (const double temperature : {0.05, 0.5, 2.0}) {
    for (const std::vector<int64_t>& groups : {std::vector<int64_t>{7, 8, 9}, {7, 8, 7}, {7, 7, 7}}) {
      ObjectiveOptions options;
      options.temperature = temperature;
      const auto outcome = ContrastiveObjective(options).evaluate(*model(), batch_of(groups));
      const double expected = expected_loss(temperature, groups);
      EXPECT_NEAR(static_cast<double>(outcome.loss.item()), expected, 1e-5 * (1 + expected)) << temperature;
    }
  }
}

TEST(ContrastiveObjective, CountsThePairsWhoseSecondHalfIsTheNearest) {
  // Of the first halves, at 0.3, 1 and 2, the second ones at 0.9, 0.9 and 1.6 are the nearest.
  EXPECT_EQ(ContrastiveObjective({}).evaluate(*model(), batch_of({7, 8, 9})).correct, 2);
  EXPECT_EQ(ContrastiveObjective({}).evaluate(*model(), batch_of({7, 7, 9})).correct, 3) << "one of the same group is passed over";
  EXPECT_EQ(ContrastiveObjective({}).terms(batch_of({7, 8, 9})), kPairs);
}

TEST(ContrastiveObjective, AStepAgainstItsGradientLowersIt) {
  const auto retriever = model();
  const ContrastiveObjective objective({});
  const data::Batch batch = batch_of({7, 8, 9});
  const Tensor loss = objective.evaluate(*retriever, batch).loss;
  backward(loss);
  for (const nn::NamedTensor& p : retriever->named_parameters()) {
    Tensor rows = p.tensor;
    const Tensor gradient = rows.grad();
    for (int64_t i = 0; i < rows.numel(); ++i) rows.mutable_data()[i] -= 0.01f * gradient.data()[i];
  }
  const NoGrad no_grad;
  EXPECT_LT(objective.evaluate(*retriever, batch).loss.item(), loss.item());
}

TEST(ContrastiveObjective, RefusesAnotherModel) {
  nn::Linear other(1, 1);
  EXPECT_THROW(ContrastiveObjective({}).evaluate(other, batch_of({7, 8, 9})), ConfigError);
}

}  // namespace
}  // namespace danlu::train
