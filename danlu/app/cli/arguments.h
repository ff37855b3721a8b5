// What a verb takes on the command line, said without the library that parses it: command_line.cpp alone knows that
// one, because including it costs seconds a file.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/base/options.h"

namespace danlu::app {

// Values are references: they hold what was given when Verb::run is called.
class Arguments {
 public:
  virtual ~Arguments() = default;

  // Words without dashes, in the order of declaration.
  virtual void word(const char* name, std::string& value, const char* help) = 0;
  virtual void optional_word(const char* name, std::string& value, const char* help) = 0;
  virtual void words(const char* name, std::vector<std::string>& values, const char* help) = 0;

  // "--name VALUE", or "-n,--name VALUE". `set` is called with each value that is given.
  virtual void option(const char* names, const std::function<void(const std::string&)>& set,
                      const std::string& help) = 0;
  // The same, given any number of times, a value each.
  virtual void options(const char* names, std::vector<std::string>& values, const char* help) = 0;
  virtual void flag(const char* names, bool& value, const char* help) = 0;
  // Commands to imitate, under the help.
  virtual void examples(const char* text) = 0;

  void option(const char* names, std::string& value, const char* help) {
    option(
        names, [&value](const std::string& text) { value = text; }, help);
  }

  // An option for every field of an options struct: max_batch becomes --max-batch, read and checked like a key of a
  // recipe. Those named in `except` the verb has from elsewhere.
  template <class Options>
  void fields(Options& options, const std::vector<std::string>& except = {}) {
    fields([&options](OptionVisitor& v) { options.describe(v); },
           [&options](const Json& json) { read_options(json, options); }, except);
  }

 private:
  void fields(const std::function<void(OptionVisitor&)>& describe, const std::function<void(const Json&)>& read,
              const std::vector<std::string>& except);
};

}  // namespace danlu::app
