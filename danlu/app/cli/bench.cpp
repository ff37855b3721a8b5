#include "danlu/app/bench/determinism.h"
#include "danlu/app/cli/verbs.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"

namespace danlu::app {
namespace {

class BenchVerb : public Verb {
 public:
  BenchVerb() : Verb("bench", "measure this program on this machine") {}

  void declare(Arguments& arguments) override {
    arguments.flag("--determinism", determinism_, "what it costs that the weights do not depend on the number of threads");
    arguments.examples("danlu bench --determinism");
  }

  int run(const Context& context) override {
    if (!determinism_) throw ConfigError("command line", "got nothing to measure; expected --determinism");
    if (context.threads > 0) set_num_threads(context.threads);
    context.console.note(fmt::format("{} threads, medians of steps in turn\n\n{:<46}{:>14}{:>12}{:>10}{:>14}{:>14}\n", num_threads(), "model",
                                     "the same bits", "any bits", "cost", "1 thread too", "5 repeats too"), {{"event", "bench"}, {"threads", num_threads()}});
    bool all_same = true;
    for (const DeterminismCost& c : measure_determinism()) {
      const auto word = [](bool same) { return same ? "equal" : "DIFFERENT"; };
      context.console.result(fmt::format("{:<46}{:>11.0f} us{:>9.0f} us{:>+8.1f} %{:>14}{:>14}\n", c.model, c.reproducible_us, c.free_us,
                                         100 * (c.ratio() - 1), word(c.same_for_threads), word(c.same_again)),
                             {{"model", c.model}, {"reproducible_us", c.reproducible_us}, {"free_us", c.free_us}, {"ratio", c.ratio()},
                              {"same_for_threads", c.same_for_threads}, {"same_again", c.same_again}});
      all_same = all_same && c.same_for_threads && c.same_again;
    }
    return all_same ? kOk : kFailed;
  }

 private:
  bool determinism_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_bench_verb() { return std::make_unique<BenchVerb>(); }

}  // namespace danlu::app
