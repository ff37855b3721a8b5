// Edits of one text, each of one kind of dirt. Texts are UTF-8 (other bytes pass unchanged); all run in linear time.
#pragma once

#include <string>
#include <string_view>

namespace danlu::data {

// Without terminal escape sequences (colours), overstruck characters (_ and backspace) and control characters but tab and
// line feed, and without byte order marks. Line ends of all kinds become line feeds.
std::string without_control_characters(std::string_view text);

// Without tags, comments, scripts and styles; tags that end a line of a page become line feeds; the entities of XML, numbered
// ones and the commonest of HTML become characters. A "<" that opens no tag stays. Of empty lines side by side one is left.
std::string without_html(std::string_view text);

// Without what looks like a control token of a language model, "<|...|>": in plain text that is a left-over of a broken
// tool, and would teach the model to write it.
std::string without_control_tokens(std::string_view text);

}  // namespace danlu::data
