#include "danlu/app/bench/determinism.h"
#include "danlu/app/bench/machine.h"
#include "danlu/app/bench/operations.h"
#include "danlu/app/cli/verbs.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/threads.h"
#include "danlu/engine/kernels/isa.h"

namespace danlu::app {
namespace {

class BenchVerb : public Verb {
 public:
  BenchVerb() : Verb("bench", "measure this program on this machine") {}

  void declare(Arguments& arguments) override {
    arguments.optional_word("operation", operation_, "only operations whose name contains this; without it the machine and all operations");
    arguments.flag("--machine", machine_, "only the machine: arithmetic in registers, matrix products, reads of caches and memory");
    arguments.flag("--determinism", determinism_, "what it costs that the weights do not depend on the number of threads");
    arguments.examples("danlu bench\n  danlu bench norm\n  danlu bench --machine\n  danlu bench --determinism");
  }

  int run(const Context& context) override {
    if ((machine_ && determinism_) || (!operation_.empty() && (machine_ || determinism_))) {
      throw ConfigError("command line", "got several things to measure; expected an operation, --machine or --determinism");
    }
    if (context.threads > 0) set_num_threads(context.threads);
    if (determinism_) return determinism(context.console);
    context.console.note(fmt::format("{} threads, {}\n", num_threads(), kernels::isa_name(kernels::active_isa())),
                         {{"event", "bench"}, {"threads", num_threads()}, {"kernels", kernels::isa_name(kernels::active_isa())}});
    if (operation_.empty()) machine(context.console);
    return machine_ ? kOk : operations(context.console);
  }

 private:
  static void machine(Console& console) {
    for (const MachinePeak& p : measure_machine()) {
      console.result(fmt::format("{:<48}{:>10.1f} {}\n", p.what, p.value, p.unit), {{"peak", p.name}, {"value", p.value}, {"unit", p.unit}});
    }
  }

  int operations(Console& console) const {
    bool any = false;
    measure_operations(operation_, [&](const OperationTime& t) {
      if (!any) console.note(fmt::format("\n{:<18}{:<28}{:>12}{:>9}{:>13}{:>9}\n", "operation", "case", "forward us", "GB/s", "backward us", "GB/s"), {{"event", "operations"}, {"word", operation_}});
      any = true;
      const double gb = t.bytes * 1e-9;
      std::string text = fmt::format("{:<18}{:<28}{:>12.1f}{:>9.1f}", t.op, t.name, t.forward_s * 1e6, gb / t.forward_s);
      Json json = {{"op", t.op}, {"case", t.name}, {"gb", gb}, {"forward_us", t.forward_s * 1e6}};
      if (t.backward_s > 0) {
        text += fmt::format("{:>13.1f}{:>9.1f}", t.backward_s * 1e6, gb / t.backward_s);
        json["backward_us"] = t.backward_s * 1e6;
      }
      console.result(text + "\n", json);
    });
    if (!any) throw ConfigError("command line", fmt::format("got the operation {}; expected a part of a name of docs/ops.md", operation_));
    return kOk;
  }

  static int determinism(Console& console) {
    console.note(fmt::format("{} threads, medians of steps in turn\n\n{:<46}{:>14}{:>12}{:>10}{:>14}{:>14}\n", num_threads(), "model",
                             "the same bits", "any bits", "cost", "1 thread too", "5 repeats too"), {{"event", "bench"}, {"threads", num_threads()}});
    bool all_same = true;
    for (const DeterminismCost& c : measure_determinism()) {
      const auto word = [](bool same) { return same ? "equal" : "DIFFERENT"; };
      console.result(fmt::format("{:<46}{:>11.0f} us{:>9.0f} us{:>+8.1f} %{:>14}{:>14}\n", c.model, c.reproducible_us, c.free_us,
                                 100 * (c.ratio() - 1), word(c.same_for_threads), word(c.same_again)),
                     {{"model", c.model}, {"reproducible_us", c.reproducible_us}, {"free_us", c.free_us}, {"ratio", c.ratio()},
                      {"same_for_threads", c.same_for_threads}, {"same_again", c.same_again}});
      all_same = all_same && c.same_for_threads && c.same_again;
    }
    return all_same ? kOk : kFailed;
  }

  std::string operation_;
  bool machine_ = false, determinism_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_bench_verb() { return std::make_unique<BenchVerb>(); }

}  // namespace danlu::app
