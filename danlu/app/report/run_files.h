// What a run directory says of its run, as far as the run has come.
#pragma once

#include <string>
#include <vector>

#include "danlu/app/recipe/run_directory.h"
#include "danlu/base/json.h"

namespace danlu::app {

// An object or a list is empty where there is no such file.
struct RunFiles {
  // Throws FileError or DataError, which name the file.
  explicit RunFiles(const RunDirectory& run);

  std::string name, status;
  Json info;                  // run.json
  Json options;               // resolved.yaml
  Json quality;               // report.json
  Json data;                  // data_report.json
  Json explanation;           // explanation.json
  Json kfold;                 // kfold.json
  Json compression;           // bundle/compress.json
  Json tasks;                 // *.tasks.json, by name
  std::vector<Json> metrics;  // the lines of metrics.jsonl
  std::vector<Json> samples;  // of samples.jsonl; for those that are files "image" is the base64 of it
  std::string recipe, resolved, data_text;  // recipe.yaml, resolved.yaml, data_report.txt
};

// A number of an object, or NaN.
double number_at(const Json& object, const char* key);
// The object or list under a key, or an empty object.
const Json& part(const Json& object, const char* key);

}  // namespace danlu::app
