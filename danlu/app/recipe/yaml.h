// YAML text to JSON values, with the line of every key for messages; and back.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "danlu/base/json.h"
#include "danlu/base/options.h"

namespace danlu::app {

struct YamlDocument {
  Json json;
  std::string source;                // the file, for messages
  std::map<std::string, int> lines;  // "train.epochs", "model.layers[3]" -> line, from 1

  // "recipe.yaml:4" for a key path, or for the nearest path above it. Refers to this document, which must outlive it.
  Locate locate() const;
};

// Unquoted scalars are typed as in YAML's core schema: true and false, numbers (1e-3 too), null or ~; everything else,
// and everything in quotes, is text (so yes, no and off are text). Throws ConfigError naming line and column for a
// syntax error, a key given twice, an alias or a merge (which could expand without bound), a tag, a second document,
// more than 64 levels or 1 MiB, and text that is not UTF-8.
YamlDocument parse_yaml(std::string_view text, const std::string& source);

// The value after `key=` on a command line, read as YAML. `origin` stands for the file in messages.
Json parse_yaml_value(const std::string& text, const std::string& origin);

// A JSON object as YAML that parse_yaml reads back. comments: key path -> lines written above the key.
std::string to_yaml(const Json& json, const std::map<std::string, std::string>& comments = {});

}  // namespace danlu::app
