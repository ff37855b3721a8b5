#include "danlu/learn/tune/options.h"

namespace danlu::tune {

void HalvingOptions::describe(OptionVisitor& v) {
  v.choice("unit", unit, {"validations", "epochs", "steps"}, "in which rungs are counted; a trial is compared at the validation that reaches one");
  v.field("first", first, {1e-6, 1e15}, "the first rung");
  v.field("reduction", reduction, {1.1, 1e6}, "one in so many goes on from a rung to the next, which is so many times as far");
  v.choice("sampler", sampler, {"tpe", "random"}, "what chooses the points of new trials");
}

void TpeOptions::describe(OptionVisitor& v) {
  v.field("startup", startup, {1, 1e6}, "trials at random before the first that is chosen");
  v.field("candidates", candidates, {1, 1e6}, "points drawn from the better trials, of which the most promising is tried");
}

void TuneOptions::describe(OptionVisitor& v) {
  v.field("space", space, "key: {uniform: [low, high]}, {log_uniform: [low, high]}, {int: [low, high], log: false} or {choice: [...]}, for any key of the recipe");
  v.field("trial", trial, "key: value, for trials alone: a validation split, fewer epochs; the best point is then trained without them");
  v.choice("method", method, {"tpe", "random", "grid", "asha"}, "tree of Parzen estimators, chance, every point of a grid, or successive halving");
  v.choice("metric", metric, {"auto", "loss", "accuracy"}, "of the validation split, at the best checkpoint; auto: what train.monitor says");
  v.choice("direction", direction, {"auto", "minimize", "maximize"}, "auto: a loss is minimised, an accuracy maximised");
  v.field("trials", trials, {1, 1e6}, "how many");
  v.field("time", time, "begin no trial after this time, all sessions together: 90s, 20m, 1.5h");
  v.field("seed", seed, {0, 9e15}, "of the points that are tried");
  v.field("points", points, {1, 1e6}, "of a grid along each range");
  v.group("tpe", tpe, "of method tpe");
  v.group("asha", asha, "of method asha");
}

}  // namespace danlu::tune
