// Which runs, and in what order.
//
//   parse_condition("accuracy>0.9")            a result
//   parse_condition("train.epochs>=5")         a number of the recipe
//   parse_condition("model.type=cnn")          a text of the recipe
//   parse_condition("git_commit=4f2a91")       a column
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "danlu/learn/registry/database.h"

namespace danlu::registry {

struct Condition {
  std::string key;
  std::string comparison;  // = != < <= > >=
  std::string text;        // of the value
  std::optional<double> number;
};

// Throws ConfigError unless it reads KEY COMPARISON VALUE.
Condition parse_condition(const std::string& text);

struct Query {
  std::optional<std::string> store = {};   // this one alone
  std::optional<std::string> parent = {};  // what belongs to it or came from it
  bool top = false;                        // no trials of a search: no names with a slash
  std::vector<std::string> statuses = {};  // any of them
  std::vector<std::string> tags = {};      // all of them
  std::vector<Condition> conditions = {};  // all of them; a run that has no such value does not fit, whatever the comparison
  std::string sort = {};                   // a key as above; the largest first, runs without it last. Empty: the newest first
  bool reverse = false;
  std::optional<int64_t> limit = {};
};

// "SELECT id FROM runs ..." with its parameters, which are added to those that are there.
// Is it a column that every run has, like "status"?
bool is_column(const std::string& key);

std::string to_sql(const Query& query, std::vector<Value>& parameters);

}  // namespace danlu::registry
