// A multi-layer perceptron that learns the exclusive or of two numbers' signs: builds, trains and measures a model with the
// library alone. Build it with examples/CMakeLists.txt against an installed danlu.
#include <danlu/danlu.h>

#include <cstdio>

using namespace danlu;

int main() {
  manual_seed(1);
  Rng rng(7);
  Tensor x = Tensor::empty({1024, 2}), y = Tensor::empty({1024}, Dtype::i64);
  for (float& v : x.mutable_span()) v = rng.normal();
  for (int64_t i = 0; i < 1024; ++i) y.mutable_data<int64_t>()[i] = (x.data()[2 * i] > 0) != (x.data()[2 * i + 1] > 0);

  nn::Sequential model(nn::Linear(2, 32), nn::ReLU(), nn::Linear(32, 2));
  optim::AdamW optimizer(model.parameters(), {.lr = 1e-2});
  data::TensorDataset dataset(x, y);
  data::DataLoader loader(dataset, data::all_indexes(dataset), {.batch_size = 64}, /*seed=*/1, data::Phase::train);

  for (int epoch = 0; epoch < 20; ++epoch) {
    for (const data::Batch& batch : loader) {
      Tensor loss = cross_entropy(model(batch.x), batch.y);
      optimizer.zero_grad();
      backward(loss);
      optimizer.step();
    }
  }
  NoGrad no_grad;
  const Tensor guess = argmax(model(x), 1);
  int64_t right = 0;
  for (int64_t i = 0; i < 1024; ++i) right += guess.data<int64_t>()[i] == y.data<int64_t>()[i];
  std::printf("accuracy %.3f\n", static_cast<double>(right) / 1024);
  return right > 1000 ? 0 : 1;
}
