// Counts calls of malloc, free and their relatives while in scope, of all threads, in whatever library they are.
#pragma once

namespace pyvocsep::test {

class CountAllocations {
 public:
  CountAllocations();
  ~CountAllocations();
  int count() const;
};

}  // namespace pyvocsep::test
