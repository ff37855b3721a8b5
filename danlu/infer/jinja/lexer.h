// A template's text as tokens: {% for x in y -%} ... {{ x | trim }}.
//
// Whitespace is that of transformers' environment: trim_blocks (the line break after a block goes), lstrip_blocks (so
// do the blanks before a block that begins its line), and the signs - and + within the delimiters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace danlu::infer::jinja {

struct Token {
  enum class Kind { text, block_begin, block_end, print_begin, print_end, name, string, integer, real, symbol, end };
  Kind kind = Kind::end;
  int line = 1;
  std::string text;  // of a string what it says, its escapes resolved

  bool is(Kind the_kind, std::string_view the_text) const { return kind == the_kind && text == the_text; }
  bool is_symbol(std::string_view the_text) const { return is(Kind::symbol, the_text); }
  bool is_name(std::string_view the_text) const { return is(Kind::name, the_text); }
};

// Ends with a token of kind end. Throws SyntaxError.
std::vector<Token> tokenize(std::string_view source);

// "'endfor'", "the string 'x'", "the end of the template": for messages.
std::string describe(const Token& token);

}  // namespace danlu::infer::jinja
