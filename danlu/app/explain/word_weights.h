// Which words speak for a class: the contributions of the words of many texts, put together.
#pragma once

#include <map>
#include <string>

#include "danlu/base/json.h"
#include "danlu/infer/explanation.h"

namespace danlu::app {

class WordWeights {
 public:
  void add(const infer::Explanation& text);
  int64_t texts() const { return texts_; }
  // {"texts": 60, "classes": [{"class": "good", "texts": 31, "for": [{"word", "contribution": in all, "times"}], "against": [...]}]}; of the
  // classes and words that say most. Null if there are none.
  Json to_json() const;

 private:
  struct Weight {
    double contribution = 0;
    int64_t times = 0;
  };
  struct OfClass {
    int64_t texts = 0;
    std::map<std::string, Weight> words;
  };
  std::map<std::string, OfClass> classes_;
  int64_t texts_ = 0;
};

}  // namespace danlu::app
