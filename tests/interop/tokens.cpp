// interop_tokens TOKENIZER FOLDER: for each line of standard input, a JSON string, a line of JSON with its ids; whether
// they are the text again is checked here. The tokeniser is saved to FOLDER.
#include <cstdio>
#include <iostream>

#include "danlu/base/json.h"
#include "danlu/data/text/tokenizer.h"

int main(int argc, char** argv) {
  using namespace danlu;
  if (argc != 3) return 2;
  try {
    const data::Tokenizer tokenizer = data::Tokenizer::load(argv[1]);
    tokenizer.save(argv[2]);
    for (std::string line; std::getline(std::cin, line);) {
      const std::string text = parse_json(line, "standard input").get<std::string>();
      const std::vector<data::TokenId> ids = tokenizer.encode(text);
      std::puts(to_line({{"ids", ids}, {"text", tokenizer.decode(ids)}}).c_str());
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
