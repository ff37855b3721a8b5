#include "danlu/learn/models/two_tower.h"

#include <algorithm>

#include "danlu/base/format.h"
#include "danlu/base/rng.h"
#include "danlu/engine/ops/dropout.h"
#include "danlu/engine/ops/elementwise.h"
#include "danlu/engine/ops/embedding.h"
#include "danlu/engine/ops/random.h"
#include "danlu/learn/models/recommender_parts.h"
#include "danlu/learn/nn/embedding.h"
#include "danlu/learn/nn/layers.h"

namespace danlu::models {
namespace {

constexpr double kDeviation = 0.05;

class TwoTower : public Recommender {
 public:
  TwoTower(const TwoTowerOptions& options, const Audience& audience) : options_(options), item_count_(audience.items) {
    const int64_t width = options.width;
    users_ = add("users", nn::Embedding(1 + audience.users, width, kDeviation));
    items_ = add("items", nn::Embedding(audience.items, width, kDeviation));
    met_ = add("met", nn::Embedding(1 + audience.items, width, kDeviation));
    if (audience.user_features > 0) {
      user_features_ = add("user_features", nn::Embedding(1 + audience.user_features, width, kDeviation));
      std::vector<std::vector<int64_t>> of_user = audience.features_of_user;
      of_user.insert(of_user.begin(), std::vector<int64_t>());  // of a stranger nothing is known
      features_of_user_ = feature_ids(of_user, 1 + audience.users);
    }
    if (audience.item_features > 0) {
      item_features_ = add("item_features", nn::Embedding(1 + audience.item_features, width, kDeviation));
      features_of_item_ = feature_ids(audience.features_of_item, audience.items);
    }
    user_tower_ = add("user_tower", tower());
    item_tower_ = add("item_tower", tower());
    bias_ = add_parameter("bias", Tensor::zeros({audience.items}));
  }

  int64_t length() const override { return options_.length; }

  Tensor queries(const Tensor& x) override {
    const Tensor users = users_of(x);
    Tensor sum = (*users_)(users) + mean_of_vectors(items_of(x), met_->weight);
    if (user_features_) sum = sum + mean_of_vectors(rows_of(features_of_user_, users), user_features_->weight);
    return reshape(with_one((*user_tower_)(drop(sum))), {x.size(0), 1, options_.width + 1});
  }

  Tensor items() override {
    Tensor sum = items_->weight;
    if (item_features_) sum = sum + mean_of_vectors(features_of_item_, item_features_->weight);
    return with_bias((*item_tower_)(sum), bias_);
  }

  std::string describe() const override {
    return fmt::format("TwoTower({} users, {} items, {} wide, {} hidden layers)", users_->weight.size(0) - 1, item_count_, options_.width, options_.hidden.size());
  }

 private:
  nn::Sequential tower() const {
    nn::Sequential layers;
    int64_t width = options_.width;
    for (const int64_t hidden : options_.hidden) {
      layers.append(nn::Linear(width, hidden));
      layers.append(nn::ReLU());
      width = hidden;
    }
    if (!options_.hidden.empty()) layers.append(nn::Linear(width, options_.width, true, nn::Init::xavier));
    return layers;
  }

  Tensor drop(const Tensor& x) const { return is_training() && options_.dropout > 0 ? dropout(x, static_cast<float>(options_.dropout)) : x; }

  Tensor users_of(const Tensor& x) const {
    Tensor users = Tensor::empty({x.size(0)}, Dtype::i64);
    for (int64_t n = 0; n < x.size(0); ++n) users.mutable_data<int64_t>()[n] = x.data<int64_t>()[n * x.size(1)];
    if (is_training() && options_.strangers > 0) {
      const RandomState random = next_random();
      Rng rng(random.seed, random.offset);
      for (int64_t& user : users.mutable_span<int64_t>()) user = rng.uniform() < options_.strangers ? 0 : user;
    }
    return users;
  }

  // The last `length` items met: (N, T).
  Tensor items_of(const Tensor& x) const {
    const int64_t columns = x.size(1), length = std::max<int64_t>(options_.length, 1);
    Tensor items = Tensor::zeros({x.size(0), length}, Dtype::i64);
    for (int64_t n = 0; n < x.size(0); ++n) {
      const int64_t* met = x.data<int64_t>() + n * columns + 1;
      const int64_t count = std::find(met, met + columns - 1, 0) - met, shown = std::min(count, options_.length);
      std::copy_n(met + count - shown, shown, items.mutable_data<int64_t>() + n * length);
    }
    return items;
  }

  static Tensor rows_of(const Tensor& features, const Tensor& owners) {
    const int64_t width = features.size(1);
    Tensor rows = Tensor::empty({owners.numel(), width}, Dtype::i64);
    for (int64_t n = 0; n < owners.numel(); ++n) {
      std::copy_n(features.data<int64_t>() + owners.data<int64_t>()[n] * width, width, rows.mutable_data<int64_t>() + n * width);
    }
    return rows;
  }

  TwoTowerOptions options_;
  int64_t item_count_;
  std::shared_ptr<nn::Embedding> users_, items_, met_, user_features_, item_features_;  // features: null where there are none
  Tensor features_of_user_, features_of_item_;
  std::shared_ptr<nn::Sequential> user_tower_, item_tower_;
  Tensor bias_;
};

}  // namespace

void TwoTowerOptions::describe(OptionVisitor& v) {
  v.field("width", width, {1, 1e5}, "numbers of a query and of an item's vector");
  v.field("hidden", hidden, {1, 1e6}, "units of each hidden layer of both towers; empty: none, sums of vectors meet as they are");
  v.field("length", length, {0, 1e5}, "items met before that a user's tower looks at");
  v.field("strangers", strangers, {0, 0.99}, "fraction of the users that training takes for never seen");
  v.field("dropout", dropout, {0, 0.99}, "fraction of the user tower's input dropped in training");
}

std::unique_ptr<Recommender> make_two_tower(const TwoTowerOptions& options, const Audience& audience) {
  return std::make_unique<TwoTower>(options, audience);
}

}  // namespace danlu::models
