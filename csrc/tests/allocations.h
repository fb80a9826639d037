// Counts calls of malloc, free and their relatives while in scope, of all threads, in whatever library they are. On
// other systems than Linux with glibc it counts those of operator new and delete, in this program.
#pragma once

namespace pyvocsep::test {

class CountAllocations {
 public:
  CountAllocations();
  ~CountAllocations();
  int count() const;

  static void note();  // called at every allocation and release
};

}  // namespace pyvocsep::test
