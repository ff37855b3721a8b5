#include "danlu/app/recipe/data_source.h"

#include "danlu/app/recipe/batches.h"
#include "danlu/app/recipe/source_table.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"

namespace danlu::app {

Hash128 DataSource::content_hash() const {
  std::string bytes(reinterpret_cast<const char*>(hashes().data()), hashes().size_bytes());
  bytes.append(reinterpret_cast<const char*>(strata().data()), strata().size_bytes());
  return hash_text(bytes);
}

Tensor DataSource::predict(infer::Predictor& predictor, std::span<const int64_t> samples) const {
  return predict_in_batches(predictor, samples, [&](auto piece) { return encode(predictor, piece); });
}

std::unique_ptr<DataSource> open_source(const Recipe& recipe) {
  const DataSection& options = recipe.data;
  require_source("data.source", options.source);
  const bool pretrains = recipe.kind() == RecipeKind::pretraining;
  const Labels labels = pretrains || recipe.kind() == RecipeKind::clusters ? Labels::none : Labels::given;
  if (pretrains && fs::is_directory(options.source)) throw ConfigError("app.data", fmt::format("data.source: got the directory {}; expected a table with a column of texts, because the model is a masked_encoder", options.source));
  if (fs::is_directory(options.source)) return open_images(options, labels);
  if (!options.image.column.empty()) return open_image_table(options);
  const train::PseudoLabelOptions& pseudo_labels = recipe.train.objective.pseudo_labels;
  const int64_t partners = pseudo_labels.weight > 0 ? pseudo_labels.rows : 0;
  if (recipe.reads_ngrams()) return open_ngrams(options, recipe.ngrams, partners);
  return pretrains || recipe.reads_text() ? open_texts(options, recipe.tokenizer, labels, partners) : open_table(options, labels, partners);
}

std::vector<std::string> DataSource::values_of(const std::string& column, std::span<const int64_t>) const {
  throw ConfigError("app.data", fmt::format("evaluate.demographic: got \"{}\"; expected none: images have no columns", column));
}

}  // namespace danlu::app
