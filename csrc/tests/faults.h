// Failures on demand: of the k-th allocation and, on Linux, of the k-th start of a thread; and there a machine with as
// many processors as a test wants. All of it works in every thread of the process.
#pragma once

namespace pyvocsep::test {

// While in scope, the k-th call of operator new from now on throws std::bad_alloc (0 is the next one).
class FailAllocation {
 public:
  explicit FailAllocation(int k);
  ~FailAllocation();
  bool happened() const;
  // Blocks that were allocated in this scope and have not been deleted.
  int live() const;
};

#if defined(__linux__)

// While in scope, the k-th call of pthread_create from now on returns EAGAIN.
class FailThread {
 public:
  explicit FailThread(int k);
  ~FailThread();
  bool happened() const;
};

// While in scope, sched_getaffinity tells of `count` processors. Otherwise it tells of eight, so that tests of threads
// have threads wherever they run.
class PretendProcessors {
 public:
  explicit PretendProcessors(int count);
  ~PretendProcessors();
};

#endif

}  // namespace pyvocsep::test
