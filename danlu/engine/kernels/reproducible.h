// Whether the calling thread's large products and convolutions may be divided as the library likes. They are divided so that the
// result has the same bits for any number of threads; what that costs is measured against the other way
// (`danlu bench --determinism`), which nothing else uses.
#pragma once

namespace danlu::kernels {

bool reproducible();  // true unless an AnyDivision lives on this thread

class AnyDivision {
 public:
  AnyDivision();
  ~AnyDivision();
  AnyDivision(const AnyDivision&) = delete;
  AnyDivision& operator=(const AnyDivision&) = delete;

 private:
  bool before_;
};

}  // namespace danlu::kernels
