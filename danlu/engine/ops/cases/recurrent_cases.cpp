#include <cmath>

#include "danlu/engine/kernels/reference/recurrent.h"
#include "danlu/engine/ops/cases/op_case.h"
#include "danlu/engine/ops/op.h"
#include "danlu/engine/ops/recurrent.h"

namespace danlu::cases {
namespace {

namespace reference = kernels::reference;
using kernels::Cell;

struct Setting {
  int64_t batch, length, hidden;
  bool reverse = false;
  Values lengths = {};
  bool has_bias = true, has_state = false;
};

void add_cell(std::vector<OpCase>& cases, const char* op, Cell cell, Tensor (*layer)(const Tensor&, const Tensor&, const Tensor&, const RecurrentOptions&)) {
  const auto add = [&](const char* name, const Setting& s, Use use = Use::test) {
    const int64_t gates = kernels::gates_of(cell) * s.hidden;
    std::vector<Input> inputs = {{{s.batch, s.length, gates}}, {{gates, s.hidden}, normal(0.8 / std::sqrt(static_cast<double>(s.hidden)))}};  // no chaos
    if (s.has_bias) inputs.push_back({{gates}, normal(0.5)});
    const size_t bias = s.has_bias ? 2 : 0, lengths = s.lengths.empty() ? 0 : inputs.size();
    if (lengths > 0) inputs.push_back({{s.batch}, repeat(s.lengths), false, Dtype::i64});
    const size_t state = s.has_state ? inputs.size() : 0;
    if (state > 0) inputs.insert(inputs.end(), {{{s.batch, s.hidden}, normal(), false}, {{s.batch, s.hidden}, normal(), false}});
    // A NaN stays with the sequence and the positions that it concerns; behind a sequence's end there is none.
    cases.push_back({op, name, inputs,
                     [=](const std::vector<Tensor>& in) {
                       RecurrentOptions options{.reverse = s.reverse};
                       if (lengths > 0) options.lengths = in[lengths];
                       if (state > 0) options.first = {in[state], in[state + 1]};
                       return layer(in[0], in[1], bias > 0 ? in[bias] : Tensor(), options);
                     },
                     [=](const std::vector<Values>& in) {
                       const std::vector<int64_t> ends = lengths > 0 ? std::vector<int64_t>(in[lengths].begin(), in[lengths].end()) : std::vector<int64_t>();
                       return reference::recurrent<double>(cell, s.batch, s.length, s.hidden, s.reverse, in[0], in[1], bias > 0 ? in[bias] : Values(), ends,
                                                           state > 0 ? in[state] : Values(), state > 0 ? in[state + 1] : Values());
                     },
                     {1e-5, 2e-5, 2e-4, 1e-6}, use, false});
  };
  add("ordinary", {2, 5, 4});
  add("odd sizes", {3, 7, 17});
  add("backwards", {2, 5, 4, true});
  add("lengths", {4, 6, 5, false, {6, 3, 1, 0}});
  add("lengths, backwards", {4, 6, 5, true, {2, 6, 0, 5}});
  add("a first state", {2, 4, 3, false, {}, true, true});
  add("a first state, lengths, backwards", {3, 5, 6, true, {5, 2, 0}, true, true});
  add("no bias", {2, 4, 3, false, {}, false});
  add("one position", {3, 1, 4});
  add("one unit", {2, 3, 1});
  add("no sequences", {0, 4, 3});
  add("no positions", {2, 0, 3});
  add("above the grain", {5, 9, 67});
  add("32 x 128, 256 units", {32, 128, 256}, Use::bench);
}

}  // namespace

std::vector<OpCase> recurrent_cases() {
  std::vector<OpCase> cases;
  add_cell(cases, op::rnn, Cell::rnn, rnn);
  add_cell(cases, op::lstm, Cell::lstm, lstm);
  add_cell(cases, op::gru, Cell::gru, gru);
  return cases;
}

}  // namespace danlu::cases
