#include "danlu/infer/jinja/lexer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "danlu/base/format.h"
#include "danlu/base/utf8.h"
#include "danlu/infer/jinja/fault.h"
#include "danlu/infer/jinja/text.h"

namespace danlu::infer::jinja {
namespace {

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Line breaks of any kind as "\n", the last one dropped: as Jinja reads its sources.
std::string normalize_newlines(std::string_view source) {
  std::string text;
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r' && i + 1 < source.size() && source[i + 1] == '\n') continue;
    text += source[i] == '\r' ? '\n' : source[i];
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

class Lexer {
 public:
  explicit Lexer(std::string source) : source_(std::move(source)) {}

  std::vector<Token> run() {
    bool line_begins = true;  // nothing but what was taken away stands before on this line
    while (at_ < source_.size()) {
      const size_t open = find_opening();
      std::string_view text = rest().substr(0, open - at_);
      if (open == source_.size()) {
        push(Token::Kind::text, std::string(text));
        break;
      }
      const char kind = source_[open + 1];
      const char sign = open + 2 < source_.size() ? source_[open + 2] : ' ';
      if (sign == '-') {
        text = strip_right(text);
      } else if (sign != '+' && kind != '{') {
        text = strip_indent(text, line_begins);
      }
      const std::string kept(text);
      const int line = line_;
      if (!kept.empty()) push(Token::Kind::text, kept);
      line_ = line;
      advance(open - at_);
      begin_ = line_;
      advance(sign == '-' || sign == '+' ? 3 : 2);
      if (kind == '#') {
        skip_comment();
      } else {
        push(kind == '%' ? Token::Kind::block_begin : Token::Kind::print_begin, source_.substr(open, 2));
        lex_inside(kind == '%');
      }
      line_begins = source_[at_ - 1] == '\n';
    }
    push(Token::Kind::end, "");
    return std::move(tokens_);
  }

 private:
  std::string_view rest() const { return std::string_view(source_).substr(at_); }

  [[noreturn]] void fail(const std::string& message) const { throw SyntaxError(line_, message); }

  void push(Token::Kind kind, std::string text) { tokens_.push_back({kind, line_, std::move(text)}); }

  void advance(size_t bytes) {
    line_ += static_cast<int>(std::count(rest().begin(), rest().begin() + static_cast<std::ptrdiff_t>(bytes), '\n'));
    at_ += bytes;
  }

  void skip_whitespace() {
    while (const size_t length = whitespace_length(rest())) advance(length);
  }

  size_t find_opening() const {
    for (size_t i = at_; (i = source_.find('{', i)) != std::string::npos; ++i) {
      const char next = i + 1 < source_.size() ? source_[i + 1] : ' ';
      if (next == '{' || next == '%' || next == '#') return i;
    }
    return source_.size();
  }

  static std::string_view strip_right(std::string_view text) {
    return text.substr(0, strip(Text(text), Side::right).size());
  }

  // Without the blanks before a block that is the first thing on its line.
  static std::string_view strip_indent(std::string_view text, bool line_begins) {
    const size_t line = text.rfind('\n') + 1;  // 0 if there is none
    if (line == 0 && !line_begins) return text;
    return text.find_first_not_of(" \t", line) == std::string_view::npos ? text.substr(0, line) : text;
  }

  void skip_comment() {
    const size_t end = source_.find("#}", at_);
    if (end == std::string::npos) throw SyntaxError(begin_, "the comment that begins here has no end; expected #}");
    const char sign = end > at_ ? source_[end - 1] : ' ';
    advance(end + 2 - at_);
    after_block(sign);
  }

  // What the end of a block or comment takes with it.
  void after_block(char sign) {
    if (sign == '-') {
      skip_whitespace();
    } else if (sign != '+' && rest().starts_with('\n')) {
      advance(1);
    }
  }

  void lex_inside(bool block) {
    int brackets = 0;
    for (;;) {
      skip_whitespace();
      if (at_ == source_.size()) {
        throw SyntaxError(begin_, fmt::format("the {} that begins here has no end; expected {}",
                                              block ? "block" : "expression", block ? "%}" : "}}"));
      }
      if (brackets == 0 && lex_end(block)) return;
      const char c = source_[at_];
      if (c == '\'' || c == '"') {
        lex_string(c);
      } else if (is_digit(c)) {
        lex_number();
      } else if (is_letter(c)) {
        size_t end = at_;
        while (end < source_.size() && (is_letter(source_[end]) || is_digit(source_[end]))) ++end;
        push(Token::Kind::name, source_.substr(at_, end - at_));
        at_ = end;
      } else {
        lex_symbol(brackets);
      }
    }
  }

  bool lex_end(bool block) {
    const std::string_view close = block ? "%}" : "}}";
    const char sign = source_[at_];
    const bool signed_end = (sign == '-' || (block && sign == '+')) && rest().substr(1).starts_with(close);
    if (!signed_end && !rest().starts_with(close)) return false;
    push(block ? Token::Kind::block_end : Token::Kind::print_end, std::string(close));
    advance(close.size() + (signed_end ? 1 : 0));
    if (block || (signed_end && sign == '-')) after_block(signed_end ? sign : ' ');
    return true;
  }

  void lex_symbol(int& brackets) {
    static constexpr std::array<std::string_view, 24> kSymbols = {"//", "**", "==", "!=", ">=", "<=", "+", "-",
                                                                  "/",  "*",  "%",  "~",  "[",  "]",  "(", ")",
                                                                  "{",  "}",  ">",  "<",  "=",  ".",  ":", "|"};
    if (source_[at_] == ',') {
      push(Token::Kind::symbol, ",");
      ++at_;
      return;
    }
    const auto found =
        std::find_if(kSymbols.begin(), kSymbols.end(), [&](std::string_view s) { return rest().starts_with(s); });
    if (found == kSymbols.end()) {
      const std::vector<size_t> starts = character_starts(rest().substr(0, 4));
      fail(fmt::format("unexpected character '{}'", rest().substr(0, starts[1])));
    }
    if (*found == "(" || *found == "[" || *found == "{") ++brackets;
    if (*found == ")" || *found == "]" || *found == "}") {
      if (--brackets < 0) fail(fmt::format("'{}' closes nothing", *found));
    }
    push(Token::Kind::symbol, std::string(*found));
    at_ += found->size();
  }

  void lex_number() {
    size_t end = at_;
    const auto digits = [&] {
      while (end < source_.size() && (is_digit(source_[end]) || source_[end] == '_')) ++end;
    };
    const auto digit_at = [&](size_t i) { return i < source_.size() && is_digit(source_[i]); };
    digits();
    bool real = false;
    const bool after_dot = !tokens_.empty() && tokens_.back().is_symbol(".");
    if (!after_dot && end < source_.size() && source_[end] == '.' && digit_at(end + 1)) {
      real = true;
      ++end;
      digits();
    }
    if (!after_dot && end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
      const size_t sign = end + 1 < source_.size() && (source_[end + 1] == '+' || source_[end + 1] == '-') ? 1 : 0;
      if (digit_at(end + 1 + sign)) {
        real = true;
        end += 1 + sign;
        digits();
      }
    }
    const bool zeros = source_[at_] == '0' && end - at_ > 1 && !real && !after_dot;  // 007, which Python refuses
    if (zeros || (end < source_.size() && is_letter(source_[end]))) {
      fail(fmt::format("unknown form of number '{}'", source_.substr(at_, end + 1 - at_)));
    }
    std::string number = source_.substr(at_, end - at_);
    std::erase(number, '_');
    push(real ? Token::Kind::real : Token::Kind::integer, std::move(number));
    at_ = end;
  }

  // Python's escapes.
  void lex_string(char quote) {
    const int line = line_;
    std::string text;
    advance(1);
    while (at_ < source_.size() && source_[at_] != quote) {
      if (source_[at_] == '\\' && at_ + 1 < source_.size()) {
        lex_escape(text);
      } else {
        text += source_[at_];
        advance(1);
      }
    }
    if (at_ == source_.size()) throw SyntaxError(line, "the string that begins here has no end");
    advance(1);
    tokens_.push_back({Token::Kind::string, line, std::move(text)});
  }

  void lex_escape(std::string& text) {
    static constexpr std::string_view kLetters = "ntrabfv\\'\"", kMeanings = "\n\t\r\a\b\f\v\\'\"";
    const char c = source_[at_ + 1];
    if (c == '\n') {
      advance(2);  // a line that goes on
      return;
    }
    at_ += 2;
    if (const size_t known = kLetters.find(c); known != std::string_view::npos) {
      text += kMeanings[known];
    } else if (c == 'x' || c == 'u' || c == 'U') {
      lex_code(text, c == 'x' ? 2 : c == 'u' ? 4 : 8, 16);
    } else if (c >= '0' && c <= '7') {
      --at_;
      size_t digits = 1;
      while (digits < 3 && at_ + digits < source_.size() && source_[at_ + digits] >= '0' &&
             source_[at_ + digits] <= '7') {
        ++digits;
      }
      lex_code(text, digits, 8);
    } else if (c == 'N') {
      fail("the escape \\N is not known here; expected the character itself");
    } else {
      text += '\\';
      text += c;
    }
  }

  void lex_code(std::string& text, size_t digits, int base) {
    const std::string number = source_.substr(at_, digits);
    const bool valid = number.size() == digits && std::all_of(number.begin(), number.end(), [](char c) {
                         return std::isxdigit(static_cast<unsigned char>(c));
                       });
    const unsigned long code = valid ? std::stoul(number, nullptr, base) : 0x110000;
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
      fail(fmt::format("the escape with '{}' is not a character", number));
    }
    append_utf8(text, static_cast<uint32_t>(code));
    at_ += digits;
  }

  const std::string source_;
  size_t at_ = 0;
  int line_ = 1;
  int begin_ = 1;  // the line of the delimiter that is open
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) { return Lexer(normalize_newlines(source)).run(); }

std::string describe(const Token& token) {
  switch (token.kind) {
    case Token::Kind::text:
      return "text";
    case Token::Kind::string:
      return fmt::format("the string '{}'", token.text);
    case Token::Kind::end:
      return "the end of the template";
    default:
      return fmt::format("'{}'", token.text);
  }
}

}  // namespace danlu::infer::jinja
