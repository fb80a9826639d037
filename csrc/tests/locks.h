// Counts the locks that any thread takes while in scope: of mutexes, read-write locks, spin locks, condition variables
// and semaphores.
#pragma once

namespace pyvocsep::test {

class CountLocks {
 public:
  CountLocks();
  ~CountLocks();
  int count() const;
};

}  // namespace pyvocsep::test
