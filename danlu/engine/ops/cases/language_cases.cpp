#include <cmath>

#include "danlu/engine/kernels/reference/language.h"
#include "danlu/engine/ops/attention.h"
#include "danlu/engine/ops/cases/op_case.h"
#include "danlu/engine/ops/embedding.h"
#include "danlu/engine/ops/linear_cross_entropy.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/rope.h"
#include "danlu/engine/ops/swiglu.h"

namespace danlu::cases {
namespace {

namespace reference = kernels::reference;

std::vector<int64_t> integers(const Values& values) { return {values.begin(), values.end()}; }

void add_embeddings(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, const Shape& ids, int64_t table, int64_t n, const Generator& id, Use use = Use::test) {
    cases.push_back({op::embedding, name, {{{table, n}}, {ids, id, false, Dtype::i64}}, [](const auto& in) { return embedding(in[1], in[0]); },
                     [=](const auto& in) { return reference::embedding(integers(in[1]), in[0], n); }, {}, use});
  };
  add("ordinary", {2, 3}, 5, 4, index(5));
  add("odd sizes", {3, 7}, 11, 17, index(11));
  add("one id", {1}, 3, 5, index(3));
  add("a scalar id", {}, 3, 5, index(3));
  add("one row again and again", {65}, 3, 33, repeat({1}));
  add("no ids", {0, 3}, 5, 4, index(5));
  add("no columns", {2}, 5, 0, index(5));
  add("above the grain", {301}, 41, 191, index(41));
  add("16 x 256 of 8192 x 384", {16, 256}, 8192, 384, index(8192), Use::bench);
}

void add_embedding_bags(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, int64_t bags, int64_t k, int64_t table, int64_t n, const Generator& id, const Generator& scale = normal(),
                       Use use = Use::test) {
    cases.push_back({op::embedding_bag, name, {{{table, n}}, {{bags, k}, id, false, Dtype::i64}, {{bags, k}, scale, false}},
                     [](const auto& in) { return embedding_bag(in[1], in[2], in[0]); },
                     [=](const auto& in) { return reference::embedding_bag(integers(in[1]), in[2], in[0], bags, k, n); }, {}, use});
  };
  add("ordinary", 3, 4, 5, 4, index(5));
  add("odd sizes", 7, 5, 11, 17, index(11));
  add("one column", 5, 3, 9, 1, index(9));
  add("one term", 1, 1, 3, 5, index(3));
  add("a row several times in a bag", 3, 7, 2, 5, index(2));
  add("padding", 5, 6, 7, 3, index(7), repeat({0.5, 2, 0, -1, 0, 0, 0}));
  add("empty bags", 3, 0, 5, 4, index(5));
  add("no bags", 0, 3, 5, 4, index(5));
  add("no columns", 2, 3, 5, 0, index(5));
  add("above the grain", 61, 37, 3001, 9, index(3001));
  add("256 x 128 of 65536 x 57", 256, 128, 65536, 57, index(65536), normal(), Use::bench);
}

void add_ropes(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, const std::vector<int64_t>& rows, int64_t heads, int64_t rotated, int64_t pairs,
                       const Generator& positions = nullptr, Use use = Use::test) {
    std::vector<int64_t> x = rows;
    x.push_back(heads * 2 * pairs);
    const int64_t length = rows.back();
    std::vector<Input> inputs = {{Shape(x)}, {{pairs}, uniform(0.01, 1), false}};
    if (positions) inputs.push_back({{length}, positions, false, Dtype::i64});
    cases.push_back({op::rope, name, inputs,
                     [=](const auto& in) { return rope(in[0], heads, rotated, in[1], in.size() > 2 ? in[2] : Tensor()); },
                     [=](const auto& in) {
                       std::vector<int64_t> at;
                       for (int64_t row = 0; row < reference::product(rows); ++row) {
                         at.push_back(in.size() > 2 ? static_cast<int64_t>(in[2][static_cast<size_t>(row % length)]) : row % length);
                       }
                       return reference::rope(in[0], at, heads, rotated, in[1]);
                     },
                     {1e-5, 1e-5, 1e-4}, use});
  };
  add("ordinary", {2, 5}, 3, 2, 4);
  add("odd sizes", {3, 7}, 5, 4, 17);
  add("one pair", {4}, 1, 1, 1);
  add("nothing rotated", {2, 3}, 2, 0, 4);
  add("positions", {2, 5}, 3, 3, 4, repeat({3, 0, 7, 7, 2}));
  add("no sequences", {0, 5}, 3, 2, 4);
  add("no positions", {2, 0}, 3, 2, 4);
  add("above the grain", {5, 67}, 6, 4, 16);
  add("16 x 256, 6 heads of 64", {16, 256}, 18, 12, 32, nullptr, Use::bench);
}

struct Documents {
  int64_t length;  // of each document of a packed row; 0: no packing
};

void add_attentions(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, reference::AttentionShape s, Documents documents = {0}, Use use = Use::test) {
    std::vector<Input> inputs = {{{s.batch, s.length, (s.heads + 2 * s.kv_heads) * s.head_dim}}};
    const int64_t length = s.length, document = documents.length;
    if (document > 0) {
      const Generator first = [=](Rng&, int64_t i) { return static_cast<double>(i % length / document * document); };
      inputs.push_back({{s.batch, length}, first, false, Dtype::i64});
    }
    AttentionOptions options{s.heads, s.kv_heads, s.causal, std::nullopt};
    if (s.scale > 0) options.scale = static_cast<float>(s.scale);
    else s.scale = 1 / std::sqrt(static_cast<double>(s.head_dim));
    // A NaN among the values may also reach positions shortly before its own, as the header says.
    cases.push_back({op::attention, name, inputs, [=](const auto& in) { return attention(in[0], options, in.size() > 1 ? in[1] : Tensor()); },
                     [=](const auto& in) { return reference::attention(s, in[0], in.size() > 1 ? integers(in[1]) : std::vector<int64_t>()); },
                     {2e-6, 2e-5, 2e-4, 1e-6}, use, false});
  };
  add("ordinary", {2, 5, 2, 2, 4, true, 0});
  add("every key", {2, 5, 2, 2, 4, false, 0});
  add("odd sizes", {3, 17, 3, 3, 5, true, 0});
  add("every key, odd sizes", {1, 19, 1, 1, 33, false, 0});
  add("grouped heads", {2, 9, 6, 2, 8, true, 0});
  add("one head of keys for all", {1, 13, 3, 1, 7, true, 0});
  add("one position", {3, 1, 2, 2, 4, true, 0});
  add("one element", {1, 1, 1, 1, 1, true, 0});
  add("scale", {1, 7, 2, 1, 8, true, 3.0});
  add("documents", {2, 23, 2, 1, 8, true, 0}, {5});
  add("documents of one position", {1, 9, 1, 1, 4, true, 0}, {1});
  add("documents longer than a tile", {1, 150, 1, 1, 8, true, 0}, {67});
  add("documents, every key behind", {1, 40, 2, 2, 8, false, 0}, {16});
  add("no sequences", {0, 5, 2, 2, 4, true, 0});
  add("no positions", {2, 0, 2, 2, 4, true, 0});
  add("several tiles", {1, 131, 2, 1, 17, true, 0});
  add("several tiles, every key", {1, 131, 1, 1, 64, false, 0});
  add("more than a chunk of keys", {1, 601, 1, 1, 4, true, 0});
  add("16 x 256, 6 heads of 64", {16, 256, 6, 6, 64, true, 0}, {0}, Use::bench);
  add("4 x 256, 12 heads of 64", {4, 256, 12, 12, 64, true, 0}, {0}, Use::bench);
  add("12 x 64, 4 heads of 32", {12, 64, 4, 4, 32, true, 0}, {0}, Use::bench);
  add("2 x 1024, 16 heads on 4", {2, 1024, 16, 4, 64, true, 0}, {0}, Use::bench);
}

void add_swiglus(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, const Shape& x, const Generator& values = normal(2), Use use = Use::test) {
    const int64_t n = x[-1] / 2;
    cases.push_back({op::swiglu, name, {{x, values}}, [](const auto& in) { return swiglu(in[0]); },
                     [=](const auto& in) { return reference::swiglu(in[0], n); }, {}, use});
  };
  add("ordinary", {4, 6});
  add("odd sizes", {2, 17, 66});
  add("a vector", {38});
  add("one", {3, 2});
  add("large values", {2, 8}, repeat({-200, 200, 90, -90, 1, 2, 3, 4}));
  add("no rows", {0, 6});
  add("no columns", {3, 0});
  add("above the grain", {211, 190});
  add("4096 x 2 x 1024", {4096, 2048}, normal(2), Use::bench);
}

void add_linear_cross_entropies(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, int64_t rows, int64_t channels, int64_t classes, const Generator& targets = nullptr, Use use = Use::test,
                       int64_t ignore = -1) {
    const Generator target = targets ? targets : index(classes);
    cases.push_back({op::linear_cross_entropy, name, {{{rows, channels}}, {{classes, channels}, normal(0.5)}, {{rows}, target, false, Dtype::i64}},
                     [=](const auto& in) { return linear_cross_entropy(in[0], in[1], in[2], {.ignore = ignore}); },
                     [=](const auto& in) {
                       const Values logits = reference::linear(in[0], in[1], Values(), rows, classes, channels, kernels::Activation::none);
                       return Values{reference::cross_entropy<double>(logits, integers(in[2]), classes, ignore, 0, true)};
                     },
                     {1e-5, 1e-5, 2e-4, 1e-7}, use});
  };
  add("ordinary", 4, 6, 5);
  add("odd sizes", 17, 7, 33);
  add("one row", 1, 3, 4);
  add("one class", 3, 4, 1);
  add("rows ignored", 9, 5, 7, repeat({1, -1, 4}));
  add("rows of a class ignored", 9, 5, 7, repeat({1, 2, 4}), Use::test, 2);
  add("every row ignored", 5, 3, 4, repeat({-1}));
  add("no rows", 0, 3, 4);
  add("above the grain", 131, 17, 67);
  add("1024 x 50257 x 768", 1024, 768, 50257, nullptr, Use::bench);
  add("4096 x 8192 x 384", 4096, 384, 8192, nullptr, Use::bench);
}

}  // namespace

std::vector<OpCase> language_cases() {
  std::vector<OpCase> cases;
  add_embeddings(cases);
  add_embedding_bags(cases);
  add_ropes(cases);
  add_attentions(cases);
  add_swiglus(cases);
  add_linear_cross_entropies(cases);
  return cases;
}

}  // namespace danlu::cases
