#include "danlu/data/text/tokenizer_json.h"

#include <gtest/gtest.h>

#include "danlu/base/json.h"
#include "danlu/data/image/testing.h"

namespace danlu::data {
namespace {

// A file of the kind that GPT-2, Llama 3 and Qwen have, with few tokens.
Json file() {
  return parse_json(R"({
    "version": "1.0", "truncation": null, "padding": null,
    "added_tokens": [{"id": 6, "content": "<|end|>", "single_word": false, "lstrip": false, "rstrip": false,
                      "normalized": false, "special": true}],
    "normalizer": {"type": "NFC"},
    "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": "\\p{N}"}, "behavior": "Isolated", "invert": false},
        {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false}]},
    "post_processor": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true},
    "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
    "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
              "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false, "ignore_merges": true,
              "vocab": {"t": 0, "h": 1, "th": 2, "Ġ": 3, "Ġth": 4, "Ã©": 5},
              "merges": ["t h", "Ġ th"]}
  })",
                    "test");
}

TokenizerModel read(const std::string& text) {
  const TemporaryDirectory directory;
  write_file_atomic(directory / "tokenizer.json", text);
  return read_tokenizer_json(directory / "tokenizer.json");
}

TEST(TokenizerJson, IsRead) {
  const TokenizerModel model = read(to_line(file()));
  EXPECT_EQ(model.normalizer, Normalizer::nfc);
  ASSERT_EQ(model.pre_tokenizer.size(), 1);
  EXPECT_EQ(model.pre_tokenizer[0].pattern, "\\p{N}");
  EXPECT_TRUE(model.byte_level);
  EXPECT_TRUE(model.ignore_merges);
  EXPECT_FALSE(model.add_prefix_space);
  EXPECT_EQ(model.vocab, (std::vector<std::string>{"t", "h", "th", " ", " th", "é", "<|end|>"}));
  ASSERT_EQ(model.merges.size(), 2);
  EXPECT_EQ(model.merges[1].left, 3);
  EXPECT_EQ(model.merges[1].right, 2);
  EXPECT_EQ(model.merges[1].result, 4);
  ASSERT_EQ(model.added.size(), 1);
  EXPECT_EQ(model.added[0].content, "<|end|>");
  EXPECT_TRUE(model.added[0].special);
}

TEST(TokenizerJson, MergesMayBePairs) {
  Json json = file();
  json["model"]["merges"] = Json::parse(R"([["t", "h"], ["Ġ", "th"]])");
  EXPECT_EQ(read(to_line(json)).merges.size(), 2);
}

TEST(TokenizerJson, TheModelMayComeFirst) {
  const Json all = file();
  Json json = {{"model", all["model"]}};
  for (const auto& [key, value] : all.items()) json[key] = value;
  EXPECT_EQ(read(to_line(json)).vocab[4], " th");
}

TEST(TokenizerJson, ByteLevelAloneCutsAsGpt2) {
  Json json = file();
  json["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", true}};
  const TokenizerModel model = read(to_line(json));
  ASSERT_EQ(model.pre_tokenizer.size(), 1);
  EXPECT_EQ(model.pre_tokenizer[0].pattern, split_pattern("gpt2"));
  EXPECT_TRUE(model.add_prefix_space);
}

TEST(TokenizerJson, OtherStepsAndForms) {
  Json json = file();
  json["normalizer"] = Json::parse(R"({"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "NFKC"}]})");
  json["pre_tokenizer"]["pretokenizers"][0] =
      Json::parse(R"({"type": "Split", "pattern": {"String": "a.b"}, "behavior": "MergedWithNext", "invert": true})");
  json["pre_tokenizer"]["pretokenizers"].insert(json["pre_tokenizer"]["pretokenizers"].begin(),
                                                Json{{"type", "Digits"}, {"individual_digits", true}});
  const TokenizerModel model = read(to_line(json));
  EXPECT_EQ(model.normalizer, Normalizer::nfkc);
  ASSERT_EQ(model.pre_tokenizer.size(), 2);
  EXPECT_EQ(model.pre_tokenizer[0].kind, PreTokenizerStep::Kind::digits);
  EXPECT_TRUE(model.pre_tokenizer[0].individual_digits);
  EXPECT_EQ(model.pre_tokenizer[1].pattern, "a\\.b");
  EXPECT_TRUE(model.pre_tokenizer[1].invert);
  EXPECT_EQ(model.pre_tokenizer[1].behavior, PreTokenizerStep::Behavior::merged_with_next);
}

TEST(TokenizerJson, TemplateThatBeginsWithAToken) {
  Json json = file();
  json["post_processor"] = Json::parse(R"({"type": "Sequence", "processors": [{"type": "ByteLevel"},
      {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|end|>", "type_id": 0}},
                                                {"Sequence": {"id": "A", "type_id": 0}}]}]})");
  const TokenizerModel model = read(to_line(json));
  EXPECT_TRUE(model.add_bos);
  EXPECT_EQ(model.bos, 6);
}

TEST(TokenizerJson, WrittenAndReadIsTheSame) {
  const TemporaryDirectory directory;
  TokenizerModel model = read(to_line(file()));
  model.bos = 6;
  model.add_bos = true;
  model.pre_tokenizer.push_back({.kind = PreTokenizerStep::Kind::digits, .pattern = {}, .individual_digits = true});
  write_tokenizer_json(model, directory / "again.json");
  const TokenizerModel again = read_tokenizer_json(directory / "again.json");
  EXPECT_EQ(again.normalizer, model.normalizer);
  ASSERT_EQ(again.pre_tokenizer.size(), 2);
  EXPECT_EQ(again.pre_tokenizer[0].pattern, model.pre_tokenizer[0].pattern);
  EXPECT_TRUE(again.pre_tokenizer[1].individual_digits);
  EXPECT_EQ(again.vocab, model.vocab);
  ASSERT_EQ(again.merges.size(), 2);
  EXPECT_EQ(again.merges[1].result, 4);
  EXPECT_EQ(again.bos, 6);
  EXPECT_TRUE(again.add_bos);
  EXPECT_TRUE(again.ignore_merges);
}

TEST(TokenizerJson, CharactersAreWrittenAndRead) {
  const TemporaryDirectory directory;
  TokenizerModel model;
  model.byte_level = false;
  model.vocab = {"春", " ", "\n", "\"", "春 ", "<unk>"};
  model.merges = {{0, 1, 4}};
  model.added = {{5, "<unk>", true}};
  model.unk = 5;
  write_tokenizer_json(model, directory / "t.json");
  const TokenizerModel again = read_tokenizer_json(directory / "t.json");
  EXPECT_FALSE(again.byte_level);
  EXPECT_EQ(again.vocab, model.vocab);
  EXPECT_EQ(again.unk, 5);
  ASSERT_EQ(again.merges.size(), 1);
  EXPECT_EQ(again.merges[0].result, 4);
}

TEST(TokenizerJson, WhatTheFormatCannotSayIsNotWritten) {
  const TemporaryDirectory directory;
  TokenizerModel model = read(to_line(file()));
  model.add_prefix_space = true;
  EXPECT_TRUE(contains(error_of([&] { write_tokenizer_json(model, directory / "t.json"); }), "got add_prefix_space"));
  EXPECT_FALSE(fs::exists(directory / "t.json"));
}

// The file with a value in another place (a JSON pointer), and the words of the error.
struct Damage {
  const char *place, *value, *words;
};

TEST(TokenizerJson, WhatIsNotSupportedIsNamed) {
  const Damage cases[] = {
      {"/truncation", R"({"max_length": 3})",
       R"(truncation: got {"max_length":3}, which is not supported; expected null)"},
      {"/padding", R"({"strategy": "BatchLongest"})", "padding: got"},
      {"/normalizer/type", R"("Lowercase")", "normalizer.type: got \"Lowercase\", which is not supported"},
      {"/pre_tokenizer/pretokenizers/0/type", R"("Whitespace")",
       "pre_tokenizer.pretokenizers[0].type: got \"Whitespace\", which is not supported; expected ByteLevel, Split or "
       "Digits"},
      {"/pre_tokenizer/pretokenizers/0/behavior", R"("Random")", "pretokenizers[0].behavior: got \"Random\""},
      {"/pre_tokenizer/pretokenizers/2", R"({"type": "Digits"})", "expected no step behind ByteLevel"},
      {"/pre_tokenizer/pretokenizers/1/add_prefix_space", "true", "expected false behind another step"},
      {"/decoder/type", R"("Metaspace")",
       "decoder.type: got \"Metaspace\", which is not supported; expected ByteLevel"},
      {"/decoder", "null", "decoder: got null"},
      {"/post_processor/type", R"("RobertaProcessing")", "post_processor.type: got \"RobertaProcessing\""},
      {"/post_processor", R"({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A"}},
                             {"SpecialToken": {"id": "<|end|>"}}]})",
       "expected the text, and at most one token before it"},
      {"/model/type", R"("WordPiece")", "model.type: got \"WordPiece\", which is not supported; expected BPE"},
      {"/model/dropout", "0.1", "model.dropout: got 0.1"},
      {"/model/end_of_word_suffix", R"("</w>")", "model.end_of_word_suffix: got \"</w>\""},
      {"/model/continuing_subword_prefix", R"("##")", "model.continuing_subword_prefix: got \"##\""},
      {"/model/byte_fallback", "true", "model.byte_fallback: got true"},
      {"/added_tokens/0", R"({"id": 6, "content": "   ", "special": false})",
       "expected a token that is more than white space"},
  };
  for (const Damage& damage : cases) {
    Json json = file();
    json[Json::json_pointer(damage.place)] = Json::parse(damage.value);
    const std::string error = error_of([&] { read(to_line(json)); });
    EXPECT_TRUE(contains(error, damage.words));
    EXPECT_TRUE(contains(error, "tokenizer.json: "));
  }
}

TEST(TokenizerJson, WhatMakesNoSenseIsNamed) {
  const Damage cases[] = {
      {"/model", "3", "model: got number; expected an object"},
      {"/model", R"({"type": "BPE"})", "model.vocab: got no tokens"},
      {"/model/vocab", "[1]", "model.vocab: got no tokens"},
      {"/model/vocab/t", "-1", "got id -1 for token \"t\"; expected 0 to 1048575"},
      {"/model/vocab/t", "1e300", "got something else for token \"t\"; expected its id"},
      {"/model/vocab/t", "18446744073709551615", "got id 9223372036854775807 for token \"t\""},
      {"/model/vocab/t", "16000000", "got id 16000000 for token \"t\""},
      {"/model/vocab/t", "[0]", "got a list for token \"t\""},
      {"/model/vocab/t", "{}", "got an object for token \"t\""},
      {"/model/vocab/t", "1", "got id 1 for token \"h\" and for another one"},
      {"/model/vocab/▁a", "7", "got token \"▁a\" with a character that stands for no byte"},
      {"/model/merges/0", R"("t x")", "got merge 0 with \"x\"; expected a token of the vocabulary"},
      {"/model/merges/0", R"("h t")", "got merge 0 with \"ht\"; expected a token of the vocabulary"},
      {"/model/merges/1", R"("th")", "got merge 1 \"th\"; expected two tokens"},
      {"/model/merges/1", R"("t h t")", "got merge 1 \"t h t\"; expected two tokens"},
      {"/model/merges/1", "5", "got something else as merge 1"},
      {"/model/merges/1", R"(["t"])", "got merge 1 of one token"},
      {"/model/merges/1", R"(["t", "h", "t"])", "got merge 1 of more than two tokens"},
      {"/model/merges/1", R"([["t"], "h"])", "got a list as merge"},
      {"/model/unk_token", R"("<unk>")", "model.unk_token: got \"<unk>\"; expected a token"},
      {"/model/ignore_merges", "1", "model.ignore_merges: got number; expected true or false"},
      {"/added_tokens/0/id", "1e9", "added_tokens[0].id: got 1000000000.0"},
      {"/added_tokens/0/id", "2000000000", "got id 2000000000 for token \"<|end|>\""},
      {"/added_tokens/0/id", "2", "got id 2 for token \"th\" and for another one"},
      {"/added_tokens/0/content", "null", "added_tokens[0].content: got null; expected a string"},
      {"/added_tokens/1", R"({"id": 6, "content": "<|again|>"})", "got added token \"<|again|>\" with id 6"},
      {"/added_tokens/1", R"({"id": 7, "content": "<|end|>"})", "got added token \"<|end|>\" with id 7"},
      {"/added_tokens", "{}", "added_tokens: got object; expected a list"},
      {"/pre_tokenizer/pretokenizers/0/pattern", "5", "pretokenizers[0].pattern: got number; expected an object"},
      {"/pre_tokenizer/pretokenizers", "null", "pre_tokenizer.pretokenizers: got null; expected a list"},
  };
  for (const Damage& damage : cases) {
    Json json = file();
    json[Json::json_pointer(damage.place)] = Json::parse(damage.value);
    const std::string error = error_of([&] { read(to_line(json)); });
    EXPECT_TRUE(contains(error, damage.words));
    EXPECT_TRUE(contains(error, "tokenizer.json: "));
  }
}

TEST(TokenizerJson, WhatIsNoJsonIsNamedByLineAndColumn) {
  EXPECT_TRUE(contains(error_of([] { read("{\n \"model\": {\"vocab\": {\"a\": 1,}}}"); }),
                       "tokenizer.json:2:29: not valid JSON: "));
  EXPECT_TRUE(contains(error_of([] { read(""); }), "tokenizer.json:1:1: not valid JSON"));
  EXPECT_TRUE(contains(error_of([] { read("[]"); }), "tokenizer: got array; expected an object"));
  EXPECT_TRUE(contains(error_of([] { read(std::string(100000, '[')); }), "got more than 128 nested levels"));
  EXPECT_TRUE(contains(error_of([] { read(R"({"model": {"vocab": {"a": 1, "a": 2}}, "decoder": {"type": "Fuse"}})"); }),
                       "got token \"a\" with the ids 1 and 2"));
}

}  // namespace
}  // namespace danlu::data
