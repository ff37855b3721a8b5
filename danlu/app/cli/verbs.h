// The verbs of the program, one file each.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "danlu/app/cli/arguments.h"
#include "danlu/app/cli/command_line.h"
#include "danlu/app/cli/console.h"
#include "danlu/base/files.h"

namespace danlu::app {

// What a verb is given besides its own arguments.
struct Context {
  Console& console;
  fs::path runs;         // where runs are kept
  std::string registry;  // of the runs: app/registry/run_registry.h
  int threads = 0;       // of the engine; 0: not said

  // What a run calls: the console, and the registry. Throws if a registry that was given does not answer.
  Observer observer() const;
};

class Verb {
 public:
  Verb(const char* name, const char* help) : name_(name), help_(help) {}
  virtual ~Verb() = default;
  const char* name() const { return name_; }
  const char* help() const { return help_; }

  virtual void declare(Arguments& arguments) = 0;
  // The exit code. Throws what goes wrong; nothing but results is printed.
  virtual int run(const Context& context) = 0;

 private:
  const char* name_;
  const char* help_;
};

// All of them, in the order of a run's life.
std::vector<std::unique_ptr<Verb>> make_verbs();

std::unique_ptr<Verb> make_run_verb();
std::unique_ptr<Verb> make_init_verb();
std::unique_ptr<Verb> make_check_verb();
std::unique_ptr<Verb> make_prepare_verb();
std::unique_ptr<Verb> make_train_verb();
std::unique_ptr<Verb> make_verify_verb();
std::unique_ptr<Verb> make_lr_range_verb();
std::unique_ptr<Verb> make_tune_verb();
std::unique_ptr<Verb> make_evaluate_verb();
std::unique_ptr<Verb> make_compress_verb();
std::unique_ptr<Verb> make_report_verb();
std::unique_ptr<Verb> make_predict_verb();
std::unique_ptr<Verb> make_explain_verb();
std::unique_ptr<Verb> make_generate_verb();
std::unique_ptr<Verb> make_tokenize_verb();
std::unique_ptr<Verb> make_import_verb();
std::unique_ptr<Verb> make_export_verb();
std::unique_ptr<Verb> make_serve_verb();
std::unique_ptr<Verb> make_runs_verb();
std::unique_ptr<Verb> make_bench_verb();
std::unique_ptr<Verb> make_doctor_verb();

}  // namespace danlu::app
