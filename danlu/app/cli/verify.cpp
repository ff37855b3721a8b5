#include "danlu/app/cli/recipe_arguments.h"
#include "danlu/app/cli/stop_signal.h"
#include "danlu/base/cpu.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/version.h"

namespace danlu::app {
namespace {

class VerifyVerb : public Verb {
 public:
  VerifyVerb() : Verb("verify", "train a run again and compare the weights, bit by bit") {}

  void declare(Arguments& arguments) override {
    arguments.word("run", run_, "a trained run, by name or path");
    arguments.examples("danlu verify medical");
  }

  int run(const Context& context) override {
    const std::unique_ptr<Pipeline> pipeline = reopen_run(run_, context);
    const std::string path = pipeline->directory().path().string();
    const Json info = pipeline->directory().info();
    const std::string expected = expected_hash(info, path);
    warn_of_differences(context, info);
    const std::string got = pipeline->replay();
    if (stop_requested().load()) return kFailed;
    const bool same = got == expected;
    context.console.result(same ? fmt::format("{}: the same weights again, {}\n", path, got)
                                : fmt::format("{}: got other weights, {}; expected {}\n", path, got, expected),
                           {{"run", path}, {"same", same}, {"weights_hash", got}, {"expected", expected}});
    return same ? kOk : kFailed;
  }

 private:
  static std::string expected_hash(const Json& info, const std::string& path) {
    const Json training = info.value("training", Json::object());
    const std::string stopped_by = training.value("stopped_by", "");
    if (stopped_by == "time limit" || stopped_by == "deadline") {
      throw ConfigError("app.verify", fmt::format("{} was ended by the clock ({}), which cannot be repeated; expected a run that ends by "
                                                  "epochs, steps, tokens or early stopping", path, stopped_by));
    }
    if (stopped_by.empty() || stopped_by == "request") {
      throw ConfigError("app.verify", fmt::format("{0} has not been trained to its end; go on with it first: danlu train {0} --resume", path));
    }
    return training.value("weights_hash", "");
  }

  // Of what may well give other bits.
  static void warn_of_differences(const Context& context, const Json& info) {
    const auto check = [&](const char* key, const std::string& now) {
      const std::string then = info.value(key, "");
      if (then != now) context.console.warn("app.verify", fmt::format("the run was made with {} \"{}\", now it is \"{}\"", key, then, now));
    };
    check("danlu", version());
    check("cpu", cpu_info().model);
  }

  std::string run_;
};

}  // namespace

std::unique_ptr<Verb> make_verify_verb() { return std::make_unique<VerifyVerb>(); }

}  // namespace danlu::app
