#include <algorithm>
#include <cmath>

#include "danlu/app/cli/recipe_arguments.h"
#include "danlu/app/recipe/yaml.h"
#include "danlu/app/report/html.h"
#include "danlu/app/report/page.h"
#include "danlu/app/report/plot.h"
#include "danlu/base/format.h"
#include "danlu/learn/optim/optimizer.h"

namespace danlu::app {
namespace {

using train::LrRange;

constexpr double kBeyond = 30;  // times the rate of the recipe, which may be far above what is usual

// A line for every so many points, with the loss as a bar between the lowest and the first.
std::string table(const LrRange& range) {
  constexpr size_t kLines = 24, kWidth = 40;
  const auto& points = range.points;
  const auto [low, high] = std::minmax_element(points.begin(), points.end(), [](auto& a, auto& b) { return a.loss < b.loss; });
  const double span = std::max(std::min(high->loss, 1.5 * points.front().loss) - low->loss, 1e-12);
  std::string text = "learning rate      loss\n";
  const size_t step = std::max<size_t>(1, points.size() / kLines);
  for (size_t i = step - 1; i < points.size(); i += step) {
    const double share = std::clamp((points[i].loss - low->loss) / span, 0.0, 1.0);
    text += fmt::format("{:13.2e}  {:8.4g}  {}\n", points[i].lr, points[i].loss, std::string(1 + static_cast<size_t>(share * kWidth), '#'));
  }
  return text;
}

std::string page(const LrRange& range, const std::string& run) {
  Series loss{.name = "loss"};
  for (const LrRange::Point& point : range.points) {
    loss.x.push_back(std::log10(point.lr));
    loss.y.push_back(point.loss);
  }
  Plot plot{.title = "Loss", .x_label = "log10 of the learning rate", .y_label = "loss"};
  const auto nearest = std::min_element(range.points.begin(), range.points.end(), [&](auto& a, auto& b) {
    return std::abs(std::log(a.lr / range.suggested)) < std::abs(std::log(b.lr / range.suggested));
  });
  plot.mark = Plot::Mark{std::log10(nearest->lr), nearest->loss, 0, fmt::format("{:.2g}", range.suggested)};
  plot.series = {std::move(loss)};
  std::string body = fmt::format("<p class=\"kicker\">danlu</p><h1>Learning rates of {}</h1>\n<p class=\"lead\">The loss of a training whose "
                                 "learning rate grows with every update. It falls fastest at {:.2g} and is lowest at {:.2g}; {:.2g} is a rate to begin with.</p>\n",
                                 escaped(run), range.steepest, range.lowest, range.suggested);
  return html_page("Learning rates of " + run, body + section("Range test", figures(draw(plot))));
}

class LrRangeVerb : public Verb {
 public:
  LrRangeVerb() : Verb("lr-range", "find a learning rate: train with a growing one until the loss runs away") {}

  void declare(Arguments& arguments) override {
    arguments.word("run", run_, "a prepared run, by name or path");
    arguments.fields(range_, {"to"});
    arguments.option("--to", [this](const std::string& text) {
      read_options(Json{{"to", parse_yaml_value(text, "--to")}}, range_);
      gives_to_ = true;
    }, fmt::format("the largest; default: {:g}, or {:g} times that of the recipe if that is more", train::LrRangeOptions().to, kBeyond));
    arguments.option("--html", html_, "a page with the curve, in this file");
    arguments.examples("danlu prepare recipes/poet.yaml\ndanlu lr-range poet\ndanlu lr-range poet --from 1e-5 --to 0.1 --html rates.html");
  }

  int run(const Context& context) override {
    const std::unique_ptr<Pipeline> pipeline = reopen_run(run_, context);
    const double own = optim::parse_optimizer(pipeline->recipe().train.optimizer).resolved.value("lr", 0.0);
    if (!gives_to_) range_.to = std::min(std::max(range_.to, kBeyond * own), 1e6);
    const LrRange range = pipeline->lr_range_test(range_);
    Json points = Json::array();
    for (const LrRange::Point& point : range.points) points.push_back({point.lr, point.loss});
    const std::string name = pipeline->directory().name();
    if (!html_.empty()) write_file_atomic(html_, page(range, name));
    context.console.result(
        fmt::format("{}{}\nthe loss falls fastest at {:.2e} and is lowest at {:.2e}; begin with train.optimizer.lr={:.2g}\n", table(range),
                    range.diverged ? "and ran away" : fmt::format("up to {:.2e}, without running away", range.points.back().lr), range.steepest,
                    range.lowest, range.suggested),
        {{"event", "lr_range"}, {"run", name}, {"suggested", range.suggested}, {"steepest", range.steepest}, {"lowest", range.lowest},
         {"diverged", range.diverged}, {"points", points}});
    return kOk;
  }

 private:
  std::string run_, html_;
  train::LrRangeOptions range_;
  bool gives_to_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_lr_range_verb() { return std::make_unique<LrRangeVerb>(); }

}  // namespace danlu::app
