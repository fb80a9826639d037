// Counts the heap calls of all threads while in scope, malloc and free alike, whoever makes them.
#pragma once

namespace pyvocsep::test {

class CountAllocations {
 public:
  CountAllocations();
  ~CountAllocations();
  int count() const;
};

}  // namespace pyvocsep::test
