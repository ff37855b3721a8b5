#include "danlu/infer/jinja/template.h"

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/utf8.h"
#include "danlu/infer/jinja/fault.h"
#include "danlu/infer/jinja/interpreter.h"
#include "danlu/infer/jinja/parser.h"

namespace danlu::infer::jinja {
namespace {

constexpr const char* kWhere = "infer.template";
constexpr size_t kMaxSource = size_t{1} << 20;

}  // namespace

struct Template::Tree {
  Block block;
};

Template::Template(std::string_view source, std::string name) : name_(std::move(name)) {
  if (source.size() > kMaxSource) {
    throw DataError(kWhere, fmt::format("{}: got {} bytes; expected at most {}", name_, source.size(), kMaxSource));
  }
  if (!is_utf8(source)) throw DataError(kWhere, fmt::format("{}: not valid UTF-8", name_));
  try {
    tree_ = std::make_unique<const Tree>(Tree{parse(source)});
  } catch (const SyntaxError& error) {
    throw DataError(kWhere, fmt::format("{}:{}: {}", name_, error.line(), error.what()));
  }
}

Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;
Template::~Template() = default;

Text Template::render(std::vector<std::pair<std::string, Value>> variables, std::time_t now) const {
  Interpreter interpreter(std::move(variables), now);
  try {
    return interpreter.run(tree_->block);
  } catch (const Fault& fault) {
    throw DataError(kWhere, fmt::format("{}:{}: {}", name_, interpreter.line(), fault.what()));
  }
}

}  // namespace danlu::infer::jinja
