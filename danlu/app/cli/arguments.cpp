#include "danlu/app/cli/arguments.h"

#include <algorithm>

#include "danlu/app/recipe/yaml.h"

namespace danlu::app {
namespace {

std::string dashed(std::string name) {
  for (char& c : name) c = c == '_' ? '-' : c;
  return "--" + name;
}

// Declares one option a field. Groups do not occur in the structs that are switches of a verb.
class Declarer : public OptionVisitor {
 public:
  Declarer(Arguments& arguments, const std::function<void(const Json&)>& read, const std::vector<std::string>& except)
      : arguments_(arguments), read_(read), except_(except) {}
  void field(const char* n, bool&, const char* help) override { add(n, help); }
  void field(const char* n, int64_t&, Range, const char* help) override { add(n, help); }
  void field(const char* n, double&, Range, const char* help) override { add(n, help); }
  void field(const char* n, std::string&, const char* help) override { add_text(n, help); }
  void field(const char* n, std::optional<int64_t>&, Range, const char* help) override { add(n, help); }
  void field(const char* n, std::optional<double>&, Range, const char* help) override { add(n, help); }
  void field(const char* n, std::vector<int64_t>&, Range, const char* help) override { add(n, help); }
  void field(const char* n, std::vector<double>&, Range, const char* help) override { add(n, help); }
  void field(const char* n, std::vector<std::string>&, const char* help) override { add(n, help); }
  void field(const char* n, Json&, const char* help) override { add(n, help); }
  void choice(const char* n, std::string&, const std::vector<std::string>&, const char* help) override {
    add_text(n, help);
  }

 protected:
  bool enter(const char*, const char*) override { return false; }
  void leave() override {}
  std::vector<std::string> keys(const std::vector<std::string>& present) override { return present; }

 private:
  void add(const std::string& name, const char* help) {
    declare(name, help, [option = dashed(name)](const std::string& text) { return parse_yaml_value(text, option); });
  }
  // A text is taken as it stands: `--host 1` is no number.
  void add_text(const std::string& name, const char* help) {
    declare(name, help, [](const std::string& text) { return Json(text); });
  }
  void declare(const std::string& name, const char* help, const std::function<Json(const std::string&)>& value) {
    if (std::find(except_.begin(), except_.end(), name) != except_.end()) return;
    const auto set = [=, read = read_](const std::string& text) { read(Json{{name, value(text)}}); };
    arguments_.option(dashed(name).c_str(), set, help);
  }
  Arguments& arguments_;
  std::function<void(const Json&)> read_;
  const std::vector<std::string>& except_;
};

}  // namespace

void Arguments::fields(const std::function<void(OptionVisitor&)>& describe,
                       const std::function<void(const Json&)>& read, const std::vector<std::string>& except) {
  Declarer declarer(*this, read, except);
  describe(declarer);
}

}  // namespace danlu::app
