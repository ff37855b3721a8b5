#include "danlu/learn/models/recommender.h"

#include <algorithm>
#include <functional>

#include "danlu/engine/ops/linear.h"
#include "danlu/engine/ops/movement.h"
#include "danlu/learn/models/factorization.h"
#include "danlu/learn/models/recommender_parts.h"
#include "danlu/learn/models/sequential.h"
#include "danlu/learn/models/two_tower.h"
#include "danlu/learn/nn/sequence.h"

namespace danlu::models {
namespace {

struct Kind {
  std::string type;
  std::function<Json(const Json& options, const Locate& locate, const std::string& prefix)> resolve;
  std::function<std::unique_ptr<Recommender>(const Json& options, const Audience& audience)> make;
};

template <class Options>
Options read(const Json& json, const Locate& locate = {}, const std::string& prefix = "") {
  Options options;
  read_options(json, options, locate, prefix);
  return options;
}

template <class Options>
Kind kind(const char* type, std::unique_ptr<Recommender> (*make)(const Options&, const Audience&), void (*check)(const Options&, const Locate&, const std::string&) = nullptr) {
  return {type,
          [=](const Json& json, const Locate& locate, const std::string& prefix) {
            const Options options = read<Options>(json, locate, prefix);
            if (check != nullptr) check(options, locate, prefix);
            return write_options(options);
          },
          [=](const Json& json, const Audience& audience) { return make(read<Options>(json), audience); }};
}

// A new recommender: its file, and a line here.
const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kKinds = {
      kind("factorization", make_factorization),
      kind("two_tower", make_two_tower),
      kind("sequential", make_sequential, check_sequential),
  };
  return kKinds;
}

const Kind& kind_of(const std::string& type) {
  return *std::find_if(kinds().begin(), kinds().end(), [&](const Kind& kind) { return kind.type == type; });
}

}  // namespace

Tensor Recommender::last_query(const Tensor& x) {
  const Tensor all = queries(x);
  if (!foretells_every_position()) return reshape(all, {all.size(0), all.size(2)});
  Tensor last = Tensor::empty({x.size(0)}, Dtype::i64);
  const int64_t columns = x.size(1);
  for (int64_t n = 0; n < x.size(0); ++n) {
    const int64_t* met = x.data<int64_t>() + n * columns + 1;
    last.mutable_data<int64_t>()[n] = std::min<int64_t>(std::find(met, met + columns - 1, 0) - met, all.size(1)) - 1;
  }
  return nn::pick(all, last);
}

Tensor Recommender::forward(const Tensor& x) { return linear(last_query(x), items()); }

const std::vector<std::string>& recommender_types() {
  static const std::vector<std::string> kTypes = [] {
    std::vector<std::string> types;
    for (const Kind& kind : kinds()) types.push_back(kind.type);
    return types;
  }();
  return kTypes;
}

bool is_recommender(const std::string& type) { return std::find(recommender_types().begin(), recommender_types().end(), type) != recommender_types().end(); }

RecommenderConfig parse_recommender(const Json& json, const Locate& locate, const std::string& prefix) {
  const TypedOptions typed = split_type(json, recommender_types(), "factorization", locate, prefix);
  Json resolved = {{"type", typed.type}};
  resolved.update(kind_of(typed.type).resolve(typed.options, locate, prefix));
  return {typed.type, resolved};
}

std::unique_ptr<Recommender> make_recommender(const Json& json, const Audience& audience) {
  const TypedOptions typed = split_type(json, recommender_types(), "factorization", {}, "model");
  kind_of(typed.type).resolve(typed.options, {}, "model");
  return kind_of(typed.type).make(typed.options, audience);
}

}  // namespace danlu::models
