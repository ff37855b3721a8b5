#include "danlu/infer/recommender.h"

#include <algorithm>
#include <unordered_set>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/engine/autograd/tape.h"
#include "danlu/engine/ops/linear.h"
#include "danlu/eval/ranking.h"
#include "danlu/infer/bounded_model.h"
#include "danlu/infer/bundle_directory.h"
#include "danlu/learn/train/checkpoint.h"

namespace danlu::infer {
namespace {

constexpr const char* kWhere = "infer.recommender";
constexpr BundleFormat kFormat = {"danlu-recommender", 1, "a recommender"};
constexpr const char* kCatalogueFile = "catalogue.json";

std::unique_ptr<models::Recommender> read_model(const fs::path& directory, const Json& config, const data::Catalogue& catalogue) {
  const models::Audience audience = audience_of(catalogue);
  int64_t features = 0;
  for (const auto* of_all : {&audience.features_of_user, &audience.features_of_item}) {
    size_t most = 1;
    for (const auto& of : *of_all) most = std::max(most, of.size());
    features += static_cast<int64_t>((of_all->size() + 1) * most * sizeof(int64_t));
  }
  const fs::path weights = directory / kModelFile;
  std::unique_ptr<models::Recommender> model;
  make_bounded(weights, (directory / kConfigFile).string(), kWhere, [&] { model = models::make_recommender(config.at("model"), audience); }, 2 * features);
  train::load_checkpoint(weights, *model);
  return model;
}

}  // namespace

Recommender::Recommender(const fs::path& given) {
  const fs::path directory = bundle_directory(given);
  const fs::path config_path = directory / kConfigFile;
  config_ = read_json(config_path);
  try {
    check_format(config_, kFormat, config_path.string(), kWhere);
    name_ = config_.at("name").get<std::string>();
    user_column_ = config_.at("user_column").get<std::string>();
    config_.at("notice").get<std::string>();
  } catch (const Json::exception& error) {
    throw DataError(kWhere, fmt::format("{}: {}", config_path.string(), error.what()));
  }
  const fs::path catalogue_path = directory / kCatalogueFile;
  catalogue_ = data::Catalogue::from_json(read_json(catalogue_path), catalogue_path.string());
  model_ = read_model(directory, config_, catalogue_);
  const NoGrad no_grad;
  model_->eval();
  items_ = model_->items();
}

Tensor Recommender::scores(std::span<const Asker> askers) const {
  const NoGrad no_grad;
  size_t longest = 0;
  for (const Asker& asker : askers) longest = std::max(longest, asker.met.size());
  const auto columns = static_cast<int64_t>(std::max<size_t>(longest, 1));
  Tensor x = Tensor::zeros({std::ssize(askers), 1 + columns}, Dtype::i64);
  int64_t* row = x.mutable_data<int64_t>();
  for (const Asker& asker : askers) {
    row[0] = asker.user + 1;
    for (size_t t = 0; t < asker.met.size(); ++t) row[1 + t] = asker.met[t] + 1;
    row += 1 + columns;
  }
  return linear(model_->last_query(x), items_);
}

Tensor Recommender::popularity() const {
  Tensor counts = Tensor::empty({catalogue_.num_items()});
  for (int64_t i = 0; i < counts.numel(); ++i) counts.mutable_data()[i] = static_cast<float>(catalogue_.items()[static_cast<size_t>(i)].count);
  return counts;
}

Recommendations Recommender::recommend(const RecommendRequest& request) const {
  if (request.k < 1 || request.k > RecommendRequest::kMost) {
    throw DataError(kWhere, fmt::format("k: got {}; expected 1 to {}", request.k, RecommendRequest::kMost));
  }
  Recommendations answer;
  answer.notice = config_.value("notice", "");
  std::optional<int64_t> user;
  std::vector<int64_t> met;
  if (request.user) {
    user = catalogue_.find_user(*request.user);
    if (!user) answer.unknown.push_back(*request.user);
    else met = catalogue_.users()[static_cast<size_t>(*user)].history;
  }
  std::unordered_set<int64_t> named;
  for (const std::string& id : request.items) {
    const std::optional<int64_t> item = catalogue_.find_item(id);
    if (!item) answer.unknown.push_back(id);
    else if (named.insert(*item).second) met.push_back(*item);
  }
  // A user of whom no item is left, and whose model keeps nothing else of it, is as good as never seen.
  const bool popular = met.empty() && (!user || model_->foretells_every_position());
  answer.by = popular ? "popularity" : user ? "user" : "items";
  const Asker asker{user.value_or(-1), met};
  const Tensor scored = popular ? popularity() : scores({&asker, 1});
  const std::span<const int64_t> excluded = request.with_met ? std::span<const int64_t>() : std::span<const int64_t>(met);
  for (const int64_t item : eval::top_items(scored.span(), excluded, request.k)) {
    const data::Catalogue::Item& i = catalogue_.items()[static_cast<size_t>(item)];
    answer.items.push_back({i.id, i.title, static_cast<double>(scored.data()[item])});
  }
  return answer;
}

Json to_json(const Recommendations& r) {
  Json items = Json::array();
  for (const Recommendations::Item& item : r.items) {
    Json one = {{"item", item.id}};
    if (!item.title.empty()) one["title"] = item.title;
    one["score"] = item.score;
    items.push_back(std::move(one));
  }
  Json json = {{"by", r.by}, {"items", std::move(items)}};
  if (!r.unknown.empty()) json["unknown"] = r.unknown;
  if (!r.notice.empty()) json["notice"] = r.notice;
  return json;
}

bool is_recommender(const fs::path& given) { return has_format(given, kFormat); }

models::Audience audience_of(const data::Catalogue& catalogue) {
  models::Audience audience{catalogue.num_users(), catalogue.num_items(), std::ssize(catalogue.user_feature_names()), std::ssize(catalogue.item_feature_names()), {}, {}};
  if (audience.user_features > 0) {
    for (const data::Catalogue::User& user : catalogue.users()) audience.features_of_user.push_back(user.features);
  }
  if (audience.item_features > 0) {
    for (const data::Catalogue::Item& item : catalogue.items()) audience.features_of_item.push_back(item.features);
  }
  return audience;
}

void write_recommender(const fs::path& directory, const RecommenderBundle& bundle, const models::Recommender& model, const data::Catalogue& catalogue) {
  make_directories(directory);
  train::save_checkpoint(directory / kModelFile, model, nullptr, Json::object());
  write_json(directory / kCatalogueFile, catalogue.to_json());
  Json config = format_fields(kFormat);
  config.update({{"name", bundle.name}, {"notice", bundle.notice}, {"user_column", bundle.user_column}, {"users", catalogue.num_users()}, {"items", catalogue.num_items()}, {"model", bundle.model},
                 {"training", bundle.training}});
  write_json(directory / kConfigFile, config);
}

}  // namespace danlu::infer
