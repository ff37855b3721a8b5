#include "danlu/learn/models/factorization.h"

#include <algorithm>
#include <cmath>

#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/dropout.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/learn/models/recommender_parts.h"
#include "danlu/learn/nn/embedding.h"

namespace danlu::models {
namespace {

constexpr double kDeviation = 0.05;

class Factorization : public Recommender {
 public:
  Factorization(const FactorizationOptions& options, const Audience& audience) : options_(options) {
    users_ = add("users", nn::Embedding(audience.users, options.width, kDeviation));
    items_ = add("items", nn::Embedding(audience.items, options.width, kDeviation));
    bias_ = add_parameter("bias", Tensor::zeros({audience.items}));
  }

  Tensor queries(const Tensor& x) override {
    const Tensor users = users_of(x);
    const bool drops = is_training() && options_.dropout > 0;
    const Tensor known = (*users_)(users);
    const Tensor vectors = reshape(with_one(drops ? dropout(known, static_cast<float>(options_.dropout)) : known), {x.size(0), 1, options_.width + 1});
    return is_training() ? vectors : with_strangers(x, vectors);
  }

  Tensor items() override { return with_bias(items_->weight, bias_); }

  std::string describe() const override { return fmt::format("Factorization({} users, {} items, {} wide)", users_->weight.size(0), items_->weight.size(0), options_.width); }

 private:
  // i64 (N): the rows of users; for those never seen any, to be replaced.
  static Tensor users_of(const Tensor& x) {
    Tensor users = Tensor::empty({x.size(0)}, Dtype::i64);
    for (int64_t n = 0; n < x.size(0); ++n) users.mutable_data<int64_t>()[n] = std::max<int64_t>(x.data<int64_t>()[n * x.size(1)] - 1, 0);
    return users;
  }

  Tensor with_strangers(const Tensor& x, const Tensor& queries) const {
    const NoGrad no_grad;
    Tensor all = queries.clone();
    const int64_t width = options_.width, columns = x.size(1);
    for (int64_t n = 0; n < x.size(0); ++n) {
      const int64_t* row = x.data<int64_t>() + n * columns;
      if (row[0] != 0) continue;
      float* query = all.mutable_data() + n * (width + 1);
      std::fill_n(query, width, 0.0f);
      for (int64_t t = 1; t < columns && row[t] != 0; ++t) {
        const float* item = items_->weight.data() + (row[t] - 1) * width;
        for (int64_t c = 0; c < width; ++c) query[c] += item[c];
      }
      double squares = 0;
      for (int64_t c = 0; c < width; ++c) squares += static_cast<double>(query[c]) * static_cast<double>(query[c]);
      const double scale = squares > 0 ? usual_length() / std::sqrt(squares) : 0;
      for (int64_t c = 0; c < width; ++c) query[c] = static_cast<float>(query[c] * scale);
    }
    return all;
  }

  // Of the vectors of the first users: the root of the mean of squares.
  double usual_length() const {
    constexpr int64_t kUsers = 1000;
    const int64_t users = std::min(users_->weight.size(0), kUsers);
    double squares = 0;
    for (const float v : users_->weight.rows(0, users).span()) squares += static_cast<double>(v) * static_cast<double>(v);
    return std::sqrt(squares / static_cast<double>(users));
  }

  FactorizationOptions options_;
  std::shared_ptr<nn::Embedding> users_, items_;
  Tensor bias_;
};

}  // namespace

void FactorizationOptions::describe(OptionVisitor& v) {
  v.field("width", width, {1, 1e5}, "numbers of a user's or an item's vector");
  v.field("dropout", dropout, {0, 0.99}, "fraction of a user's vector dropped in training");
}

std::unique_ptr<Recommender> make_factorization(const FactorizationOptions& options, const Audience& audience) {
  return std::make_unique<Factorization>(options, audience);
}

}  // namespace danlu::models
