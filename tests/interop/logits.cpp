// interop_logits FOLDER: for each line of standard input, a JSON string, one line of JSON with the ids of the text and the logits at
// each of them, in full.
#include <cstdio>
#include <iostream>

#include "danlu/engine/autograd/tape.h"
#include "danlu/infer/language_model.h"

int main(int argc, char** argv) {
  using namespace danlu;
  if (argc != 2) return 2;
  try {
    const auto model = infer::LanguageModel::load(argv[1]);
    const NoGrad no_grad;
    for (std::string line; std::getline(std::cin, line);) {
      const std::vector<data::TokenId> ids = model->tokenizer.encode(parse_json(line, "standard input").get<std::string>());
      Tensor input = Tensor::empty({1, static_cast<int64_t>(ids.size())}, Dtype::i64);
      std::copy(ids.begin(), ids.end(), input.mutable_data<int64_t>());
      const Json answer = {{"ids", ids}, {"logits", (*model->network)(input).to_vector()}, {"eos", model->eos}};
      std::puts(to_line(answer).c_str());
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
