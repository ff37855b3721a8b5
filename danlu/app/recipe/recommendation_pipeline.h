// Runs that learn to recommend: interactions of users with items to the items that each will want next.
//
//   prepare   -> data_report.{json,txt}, split.json, catalogue.json
//   bundle    -> bundle/: infer::Recommender
//   evaluate  -> report.{json,txt}, example_request.json: what each user met last against the ranking of all that it had not met,
//                beside what is met most often by all
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "danlu/app/recipe/pipeline.h"
#include "danlu/data/dataset/interaction_dataset.h"
#include "danlu/data/interactions/leave_last_out.h"
#include "danlu/data/interactions/report.h"
#include "danlu/eval/ranking.h"
#include "danlu/infer/recommender.h"

namespace danlu::app {

class RecommendationPipeline : public Pipeline {
 public:
  RecommendationPipeline(Recipe recipe, RunDirectory directory, Observer observer);
  RecommendationPipeline(RunDirectory directory, Observer observer);

  void check() override;
  void prepare() override;
  train::Result train(train::Start start) override;

 private:
  // The interactions, divided, and what the report says of them.
  struct Source {
    Hash128 hash;
    data::LeaveLastOut split;
    data::InteractionReport report;
  };
  const Source& source();
  std::string data_hash() override { return source().hash.hex(); }
  bool validates() const { return recipe_.data.split.validation > 0; }
  std::unique_ptr<models::Recommender> make_model();
  data::InteractionDataset dataset(const models::Recommender& model, data::Part part);
  void write_bundle() override;
  Evaluation measure() override;

  // The ranking of every user that something is held out of, by one way to recommend.
  std::vector<eval::RankedUser> rank_users(const infer::Recommender& recommender, bool as_strangers);
  std::vector<eval::RankedUser> rank_by_popularity(const infer::Recommender& recommender);
  std::vector<int64_t> tested_users();
  Json examples(const infer::Recommender& recommender);

  std::optional<Source> source_;
  bool prepared_ = false;  // by somebody before: the data are to be as they were then
};

}  // namespace danlu::app
