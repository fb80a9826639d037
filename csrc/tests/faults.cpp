#include "tests/faults.h"

#if defined(__linux__)
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#elif defined(_WIN32)
#include <malloc.h>
#endif

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <new>

#include "tests/allocations.h"

namespace pyvocsep::test {

namespace {

constexpr int kNever = std::numeric_limits<int>::max();

std::atomic<int> allocations_left{kNever}, live_blocks{0};

// Counts down to the call that is to fail; true for that one.
bool fails(std::atomic<int>& left) { return left.load() != kNever && left.fetch_sub(1) == 0; }

#if defined(_WIN32)
void* aligned_malloc(size_t size, size_t alignment) { return _aligned_malloc(size, alignment); }
void aligned_free(void* p) { _aligned_free(p); }
#else
void* aligned_malloc(size_t size, size_t alignment) {
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
void aligned_free(void* p) { std::free(p); }
#endif

void note() {
#if !defined(__GLIBC__)  // elsewhere allocations.cpp sees the calls of malloc and free
  CountAllocations::note();
#endif
}

void* allocate(size_t size, size_t alignment) {
  note();
  if (fails(allocations_left)) throw std::bad_alloc();
  void* const p = alignment == 0 ? std::malloc(size > 0 ? size : 1) : aligned_malloc(size, alignment);
  if (p == nullptr) throw std::bad_alloc();
  live_blocks.fetch_add(1);
  return p;
}

void release(void* p, bool aligned) {
  note();
  if (p != nullptr) live_blocks.fetch_sub(1);
  aligned ? aligned_free(p) : std::free(p);
}

int live_at_start = 0;

}  // namespace

FailAllocation::FailAllocation(int k) {
  live_at_start = live_blocks.load();
  allocations_left.store(k);
}
FailAllocation::~FailAllocation() { allocations_left.store(kNever); }
bool FailAllocation::happened() const { return allocations_left.load() < 0; }
int FailAllocation::live() const { return live_blocks.load() - live_at_start; }

#if defined(__linux__)

namespace {
constexpr int kProcessors = 8;
std::atomic<int> threads_left{kNever}, processors{kProcessors};
}  // namespace

FailThread::FailThread(int k) { threads_left.store(k); }
FailThread::~FailThread() { threads_left.store(kNever); }
bool FailThread::happened() const { return threads_left.load() < 0; }

PretendProcessors::PretendProcessors(int count) { processors.store(count); }
PretendProcessors::~PretendProcessors() { processors.store(kProcessors); }

#endif

}  // namespace pyvocsep::test

using pyvocsep::test::allocate;
using pyvocsep::test::release;

// The forms for arrays and those that do not throw call these.
void* operator new(size_t size) { return allocate(size, 0); }
void* operator new(size_t size, std::align_val_t alignment) { return allocate(size, static_cast<size_t>(alignment)); }
void operator delete(void* p) noexcept { release(p, false); }
void operator delete(void* p, size_t) noexcept { release(p, false); }
void operator delete(void* p, std::align_val_t) noexcept { release(p, true); }
void operator delete(void* p, size_t, std::align_val_t) noexcept { release(p, true); }

#if defined(__linux__)
// Our definitions take the place of the C library's, for the C++ library too.
#pragma GCC visibility push(default)
extern "C" {
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* argument) {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  if (pyvocsep::test::fails(pyvocsep::test::threads_left)) return EAGAIN;
  return create(thread, attributes, start, argument);
}

int sched_getaffinity(pid_t, size_t size, cpu_set_t* set) noexcept {
  CPU_ZERO_S(size, set);
  for (int i = 0; i < pyvocsep::test::processors.load(); ++i) CPU_SET_S(static_cast<size_t>(i), size, set);
  return 0;
}
}
#pragma GCC visibility pop
#endif
