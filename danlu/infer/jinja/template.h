// The part of the Jinja template language that chat templates are written in, as transformers sets it up.
//
//   Template greeting("{% for x in names %}Hello {{ x | trim }}!\n{% endfor %}");
//   Text text = greeting.render({{"names", Value::from_json(names, Text::Origin::user)}});
//
// Known are text, {{ expressions }}, for, if, set, macro and what builtins.h lists, with the results of Jinja 3 under
// Python. Whatever else a template contains is refused, by name and line; nothing is approximated. Time, memory, output
// and recursion are bounded, whatever the template.
#pragma once

#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "danlu/infer/jinja/value.h"

namespace danlu::infer::jinja {

class Template {
 public:
  // `name` stands for the source in messages. Throws DataError.
  explicit Template(std::string_view source, std::string name = "template");
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;
  ~Template();

  // Throws DataError naming the line, also for what the template itself refuses (raise_exception).
  Text render(std::vector<std::pair<std::string, Value>> variables, std::time_t now = std::time(nullptr)) const;

 private:
  struct Tree;
  std::string name_;
  std::unique_ptr<const Tree> tree_;
};

}  // namespace danlu::infer::jinja
