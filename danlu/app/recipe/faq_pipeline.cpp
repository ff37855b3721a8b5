#include "danlu/app/recipe/faq_pipeline.h"

#include <algorithm>
#include <tuple>

#include "danlu/app/recipe/derive.h"
#include "danlu/app/recipe/faq_quality.h"
#include "danlu/app/recipe/gates.h"
#include "danlu/app/recipe/source_table.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/log.h"
#include "danlu/data/dataset/loader.h"
#include "danlu/data/table/read_table.h"
#include "danlu/data/text/bpe_trainer.h"
#include "danlu/data/text/search_terms.h"
#include "danlu/engine/ops/random.h"
#include "danlu/eval/abstain.h"
#include "danlu/learn/train/contrastive_objective.h"

namespace danlu::app {
namespace {

constexpr const char* kWhere = "app.faq";
constexpr int64_t kUsualBatch = 128;  // pairs
constexpr double kUsualEpochs = 10;
constexpr int64_t kUsualPatience = 2;
constexpr int64_t kUsualLength = 96;  // tokens of a passage
constexpr int64_t kFolds = 5;
constexpr size_t kFewHeldOut = 100;  // questions to measure on
constexpr size_t kMostEntries = 100'000;

// What a recipe leaves open.
void derive_faq_choices(Recipe& recipe) {
  if (recipe.model.is_null()) {
    recipe.model = "retriever";
    recipe.reasons["model"] = "derived: questions and answers are looked up by words and by meaning";
  }
  train::TrainOptions& t = recipe.train;
  if (!recipe.gives("train.batch_size")) {
    t.batch_size = kUsualBatch;
    recipe.reasons["train.batch_size"] = "derived: pairs, each told apart from the others of its batch";
  }
  derive_end(recipe, kUsualEpochs, kUsualPatience);
}

// What nobody can ask cannot be measured.
void require_askable(const data::Table& table, const std::string& column) {
  const int64_t question = table.column_index(column);
  for (const int64_t row : data::all_rows(table)) {
    const data::Cell cell = table.cell(row, question);
    if (data::is_missing(cell) || cell.size() <= infer::Answerer::kLongestQuestion) continue;
    throw DataError(kWhere, fmt::format("{}: got a question of {} bytes; expected at most {}, which is all that is read; shorten it, or take the row out", table.place(row, question), cell.size(), infer::Answerer::kLongestQuestion));
  }
}

std::vector<std::string> off_topic_questions(const DataSection& options) {
  std::vector<std::string> all;
  for (const std::string& path : options.faq.off_topic) {
    if (!fs::exists(path)) throw FileError(kWhere, fmt::format("data.faq.off_topic: there is no {}; expected a table with a column \"{}\" of what has no answer here, or no off_topic", path, options.faq.question));
    const data::Table table = data::read_table(path, options.csv);
    require_askable(table, options.faq.question);
    for (std::string& question : data::read_questions(table, options.faq)) all.push_back(std::move(question));
  }
  return all;
}

// What there is to know before anything is learnt, for programs and for people. `table` has what was left out of the FAQ.
std::pair<Json, std::string> describe(const std::string& path, const data::FaqTable& table, const data::Faq& faq, const data::Split& split, size_t off_topic_validation, size_t off_topic_test) {
  const size_t off_topic = off_topic_validation + off_topic_test;
  int64_t several = 0, without_url = 0;
  for (const data::FaqEntry& e : faq.entries()) {
    several += e.questions.size() > 1;
    without_url += e.url.empty();
  }
  Json findings = Json::array();
  const auto find = [&](bool applies, const char* severity, const char* check, const std::string& text) {
    if (applies) findings.push_back({{"severity", severity}, {"check", check}, {"column", ""}, {"text", text}});
  };
  find(split.test.size() < kFewHeldOut || split.validation.size() < kFewHeldOut, "warning", "questions",
       fmt::format("{} questions choose the confidence and {} measure: intervals will be wide", split.validation.size(), split.test.size()));
  find(off_topic == 0, "warning", "off topic", "no questions off topic: the confidence is fitted on questions that all have an answer, and will be too high for others; set data.faq.off_topic");
  find(off_topic > 0 && (off_topic_validation == 0 || off_topic_test == 0), "warning", "off topic",
       fmt::format("of {} questions off topic {} choose the confidence and {} measure: too few to tell", off_topic, off_topic_validation, off_topic_test));
  find(several * 10 < faq.size(), "note", "wordings", "few answers have several questions: held-out questions are to be found by their answers alone, which is harder than what is served");
  find(table.bad_rows > 0, "note", "bad rows", fmt::format("{} rows without question or answer, or that answer a question otherwise than an earlier one, are left out", table.bad_rows));
  find(table.repeated_rows > 0, "note", "repeated", fmt::format("{} rows repeat an earlier one", table.repeated_rows));
  find(without_url > 0, "note", "urls", fmt::format("{} answers have no url and are cited by their question alone", without_url));
  Json json = {{"source", path}, {"rows", table.rows}, {"entries", faq.size()}, {"questions", faq.num_questions()}, {"entries with several questions", several}, {"off_topic", off_topic},
               {"train", split.train.size()}, {"validation", split.validation.size()}, {"test", split.test.size()}, {"duplicates", table.repeated_rows}, {"findings", findings}};
  std::string text = fmt::format("{}: {} rows, {} answers to {} questions, {} answers to several; {} questions off topic\n{} questions train, {} validate, {} test\n", path, table.rows, faq.size(),
                                 faq.num_questions(), several, off_topic, split.train.size(), split.validation.size(), split.test.size());
  for (const Json& f : findings) text += fmt::format("{}: {}\n", f["severity"].get<std::string>(), f["text"].get<std::string>());
  return {std::move(json), std::move(text)};
}

}  // namespace

FaqPipeline::FaqPipeline(Recipe recipe, RunDirectory directory, Observer observer) : Pipeline(std::move(recipe), std::move(directory), std::move(observer)) { derive_faq_choices(recipe_); }

FaqPipeline::FaqPipeline(RunDirectory directory, Observer observer) : Pipeline(reopen_recipe(directory.file("resolved.yaml")), directory, std::move(observer)), prepared_(true) {}

const FaqPipeline::Source& FaqPipeline::source() {
  if (source_) return *source_;
  const DataSection& options = recipe_.data;
  const data::Table rows = read_source_table(options, "of questions and answers");
  require_askable(rows, options.faq.question);
  data::FaqTable table = data::read_faq(rows, options.faq);
  Source source;
  source.faq = std::move(table.faq);
  if (source.faq.entries().size() > kMostEntries) throw DataError(kWhere, fmt::format("{}: got {} answers; expected at most {}", options.source, source.faq.size(), kMostEntries));
  for (int64_t entry = 0; entry < source.faq.size(); ++entry) {
    for (const std::string& text : source.faq.entries()[static_cast<size_t>(entry)].questions) source.questions.push_back({text, entry});
  }
  // Which half an off-topic question is in depends on its words alone.
  std::string off_topic_text;
  for (std::string& text : off_topic_questions(options)) {
    off_topic_text += text + "\n";
    auto& half = hash_text(text).low % 2 == 0 ? source.off_topic_validation : source.off_topic_test;
    half.push_back({std::move(text), -1});
  }
  source.hash = hash_text(source.faq.hash().hex() + off_topic_text);
  if (prepared_) require_unchanged(source.hash.hex());
  if (options.split.validation <= 0 || options.split.test <= 0) {
    throw ConfigError(kWhere, "data.split: got none for validation or test; expected some for both: confidence is fitted on the one and measured on the other");
  }
  source.split = data::split({.size = std::ssize(source.questions)}, options.split);

  std::tie(source.report, source.report_text) = describe(options.source, table, source.faq, source.split, source.off_topic_validation.size(), source.off_topic_test.size());
  source_ = std::move(source);
  return *source_;
}

const data::TextTokens& FaqPipeline::tokens() {
  if (tokens_) return *tokens_;
  const TokenizerSection& options = recipe_.tokenizer;
  const int64_t length = recipe_.data.text.length > 0 ? recipe_.data.text.length : kUsualLength;
  data::BpeTrainer trainer({.vocab_size = options.vocab_size, .min_frequency = options.min_frequency, .pattern = options.pattern, .special_tokens = {}});
  for (const int64_t i : source().split.train) trainer.add(data::folded(source().questions[static_cast<size_t>(i)].text));
  for (const data::FaqEntry& entry : source().faq.entries()) trainer.add(data::folded(entry.answer));
  tokens_ = std::make_unique<data::TextTokens>(data::Tokenizer(trainer.train()), length);
  return *tokens_;
}

void FaqPipeline::check() {
  train::check(recipe_.train);
  models::resolve_retriever(recipe_.model);
  if (recipe_.tokenizer.type != "bpe" || !recipe_.tokenizer.file.empty()) throw ConfigError(kWhere, "tokenizer: got one of another kind; expected bpe, learnt from the questions and answers");
  if (recipe_.evaluate.kfold.folds > 0) throw ConfigError(kWhere, "evaluate.kfold is for tables and images with classes; questions have none");
  check_gates_are_measured(recipe_.evaluate.gates, faq_metrics(!recipe_.data.faq.off_topic.empty()));
  if (recipe_.evaluate.gates.contains("off_topic_coverage") && source().off_topic_test.empty()) {
    throw ConfigError(kWhere, fmt::format("evaluate.gates: got \"off_topic_coverage\"; expected a measure of this run: all {} questions of data.faq.off_topic choose the confidence, and none is left to measure; give more of them",
                                          source().off_topic_validation.size()));
  }
  report("data", source().report_text, source().report);
  const auto model = make_model();
  plan_weights(*model, nullptr);
  report("plan", fmt::format("{}\n{} parameters\n", model->describe(), model->num_parameters()), {{"model", models::resolve_retriever(recipe_.model)}, {"parameters", model->num_parameters()}});
}

void FaqPipeline::prepare() {
  begin("prepare");
  check();
  directory_.start_fresh();
  guarded([&] {
    start_directory({{"data_hash", source().hash.hex()}, {"samples", source().questions.size()}, {"parameters", make_model()->num_parameters()}});
    write_json(directory_.file("data_report.json"), source().report);
    write_file_atomic(directory_.file("data_report.txt"), source().report_text);
    const auto texts = [&](const std::vector<int64_t>& part) {
      Json list = Json::array();
      for (const int64_t i : part) list.push_back({{"entry", source().faq.entries()[static_cast<size_t>(source().questions[static_cast<size_t>(i)].entry)].id}, {"question", source().questions[static_cast<size_t>(i)].text}});
      return list;
    };
    write_json(directory_.file("split.json"), {{"train", texts(source().split.train)}, {"validation", texts(source().split.validation)}, {"test", texts(source().split.test)}});
    write_transfer();
    directory_.update({{"status", "prepared"}});
  });
}

std::unique_ptr<models::Retriever> FaqPipeline::make_model() {
  manual_seed(static_cast<uint64_t>(recipe_.seed));
  return models::make_retriever(recipe_.model, tokens().vocab_size(), tokens().length());
}

data::PairDataset FaqPipeline::dataset(data::Part part) {
  const Source& s = source();
  std::vector<std::vector<int64_t>> texts, passages(s.faq.entries().size()), asked(s.faq.entries().size());
  const auto add = [&](const std::string& text) {
    texts.push_back(tokens().encode(text));
    return std::ssize(texts) - 1;
  };
  for (size_t entry = 0; entry < passages.size(); ++entry) {
    for (const std::string& passage : data::passages_of(s.faq.entries()[entry].answer)) passages[entry].push_back(add(passage));
  }
  std::vector<data::TextPair> pairs;
  for (const int64_t i : s.split.part(part)) {
    const Question& question = s.questions[static_cast<size_t>(i)];
    const auto entry = static_cast<size_t>(question.entry);
    const int64_t text = add(question.text);
    for (const int64_t passage : passages[entry]) pairs.push_back({text, passage, question.entry});
    if (part == data::Part::train) {
      for (const int64_t other : asked[entry]) pairs.push_back({other, text, question.entry});
      asked[entry].push_back(text);
    }
  }
  return {std::move(texts), std::move(pairs), recipe_.data.text.token_dropout};
}

train::Result FaqPipeline::train(train::Start start) {
  train::Result result;
  stage("train", [&] {
    const auto model = make_model();
    put_transferred(*model);
    const auto seed = static_cast<uint64_t>(recipe_.seed);
    const data::PairDataset pairs = dataset(data::Part::train), held_out = dataset(data::Part::validation);
    data::DataLoader training(pairs, data::all_indexes(pairs), {.batch_size = recipe_.train.batch_size}, seed, data::Phase::train);
    data::DataLoader validation(held_out, data::all_indexes(held_out), {.batch_size = recipe_.train.batch_size}, seed, data::Phase::evaluate);
    result = fit(start, *model, train::ContrastiveObjective(recipe_.train.objective), training, &validation);
  });
  return result;
}

std::vector<std::vector<std::string>> FaqPipeline::findable() {
  std::vector<std::vector<std::string>> of_entries(source().faq.entries().size());
  for (const int64_t i : source().split.train) {
    const Question& question = source().questions[static_cast<size_t>(i)];
    of_entries[static_cast<size_t>(question.entry)].push_back(question.text);
  }
  return of_entries;
}

std::vector<FaqPipeline::Question> FaqPipeline::asked(data::Part part) {
  std::vector<Question> questions;
  for (const int64_t i : source().split.part(part)) questions.push_back(source().questions[static_cast<size_t>(i)]);
  const std::vector<Question>& others = part == data::Part::test ? source().off_topic_test : source().off_topic_validation;
  questions.insert(questions.end(), others.begin(), others.end());
  return questions;
}

std::vector<eval::Choice> FaqPipeline::choices(const infer::FaqSearch& search, std::span<const Question> questions) {
  std::vector<eval::Choice> all;
  for (const Question& question : questions) {
    const infer::QueryPart part{question.text};
    eval::Choice choice{search.features({&part, 1}), question.entry};
    if (question.entry < 0) choice.right = std::ssize(choice.features) / infer::FaqSearch::kFeatures - 1;
    all.push_back(std::move(choice));
  }
  return all;
}

infer::AnswerDecision FaqPipeline::decide(models::Retriever& model) {
  const infer::FaqSearch search(source().faq, findable(), model, tokens());
  std::vector<eval::Choice> all = choices(search, asked(data::Part::validation));
  infer::AnswerDecision decision;
  decision.context = recipe_.dialogue.context;
  decision.weights = eval::fit_choice_model(all, infer::FaqSearch::kFeatures);
  // The confidence to ask for, from questions that the weights of their fold have not seen.
  std::vector<double> confidences;
  std::vector<uint8_t> correct;
  const int64_t folds = std::min<int64_t>(kFolds, std::ssize(all));
  for (int64_t fold = 0; fold < folds; ++fold) {
    std::vector<eval::Choice> others, own;
    for (int64_t i = 0; i < std::ssize(all); ++i) (i % folds == fold ? own : others).push_back(all[static_cast<size_t>(i)]);
    const std::vector<double> weights = others.empty() ? decision.weights : eval::fit_choice_model(others, infer::FaqSearch::kFeatures);
    for (const eval::Choice& choice : own) {
      const Asked outcome = outcome_of(choice, weights);
      confidences.push_back(outcome.confidence);
      correct.push_back(outcome.rank == 1);
    }
  }
  const eval::Abstention choice = eval::abstain_for_accuracy(confidences, correct, recipe_.dialogue.precision);
  decision.least_confidence = choice.least_confidence;
  if (choice.accuracy < recipe_.dialogue.precision) {
    log_warning(kWhere, fmt::format("dialogue.precision: {:g} is out of reach: of {} validation questions, most are right from a confidence of {:.3f} on, a part of {:.3f} of those answered; that one is taken; ask for "
                                    "less, or give more wordings of each question", recipe_.dialogue.precision, confidences.size(), choice.least_confidence, choice.accuracy));
  }
  return decision;
}

void FaqPipeline::write_bundle() {
  const auto model = make_model();
  const Json training = load_best(*model);
  model->eval();
  infer::write_answerer(directory_.bundle(), {recipe_.name, recipe_.notice, recipe_.dialogue.hand_over, models::resolve_retriever(recipe_.model), decide(*model), training}, *model, source().faq, tokens());
}

}  // namespace danlu::app
