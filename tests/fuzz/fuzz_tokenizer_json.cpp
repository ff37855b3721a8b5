// tokenizer.json, damaged: each is refused, or makes a tokeniser that gives every text ids of its vocabulary.
#include <fstream>

#include "danlu/base/temporary_directory.h"
#include "danlu/data/text/tokenizer.h"
#include "tests/fuzz/fuzz.h"

namespace {

const std::vector<std::string> kSamples = {
    R"({"version":"1.0","added_tokens":[{"id":5,"content":"<|end|>","special":true}],"normalizer":{"type":"NFC"},
"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"use_regex":true},"post_processor":null,"decoder":{"type":"ByteLevel"},
"model":{"type":"BPE","unk_token":null,"vocab":{"t":0,"h":1,"th":2,"Ġ":3,"Ġth":4},"merges":["t h",["Ġ","th"]]}})",
    R"({"added_tokens":[{"id":0,"content":"<unk>","special":true}],"normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"}]},
"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}]+"},"behavior":"Isolated","invert":false},
{"type":"Digits","individual_digits":true}]},"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<unk>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}]},
"decoder":{"type":"Fuse"},
"model":{"type":"BPE","unk_token":"<unk>","fuse_unk":false,"ignore_merges":true,"vocab":{"<unk>":0,"a":1,"春":2,"a春":3},"merges":["a 春"]}})",
};

}  // namespace

int main(int argc, char** argv) {
  using namespace danlu;
  const TemporaryDirectory directory;
  const fs::path path = directory / "tokenizer.json";
  return test::fuzz(argc, argv, kSamples, [&](const std::string& input) {
    std::ofstream(path, std::ios::binary) << input;
    const data::Tokenizer tokenizer = data::Tokenizer::load(path);
    for (const std::string& text : {std::string("the a春 12345 <|end|>\xff\xe6"), input}) {
      const std::vector<data::TokenId> ids = tokenizer.encode(text);
      for (const data::TokenId id : ids) {
        if (id < 0 || id >= tokenizer.vocab_size()) throw std::logic_error("an id outside the vocabulary");
      }
      static_cast<void>(tokenizer.decode(ids));
    }
  });
}
