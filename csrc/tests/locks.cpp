#include "tests/locks.h"

#if defined(__linux__)
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#endif

#include <atomic>

namespace pyvocsep::test {

namespace {
std::atomic<bool> counting{false};
std::atomic<int> counted{0};
}  // namespace

CountLocks::CountLocks() {
  counted = 0;
  counting = true;
}
CountLocks::~CountLocks() { counting = false; }
int CountLocks::count() const { return counted; }

}  // namespace pyvocsep::test

#if defined(__linux__) && !defined(__SANITIZE_THREAD__)  // which must see the locks itself

namespace {

void note() {
  if (pyvocsep::test::counting.load(std::memory_order_relaxed)) ++pyvocsep::test::counted;
}

}  // namespace

// The C library's own function. No local static variable holds it: where such a variable is guarded by a mutex, the
// first lock would wait for itself.
template <typename Function>
Function own(std::atomic<Function>& known, const char* name) {
  Function function = known.load(std::memory_order_relaxed);
  if (function == nullptr) known = function = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
  return function;
}

// Takes the C library's place, for the C++ library too, and calls it.
#define PYVOCSEP_COUNT(name, parameters, ...)                             \
  extern "C" __attribute__((visibility("default"))) int name parameters { \
    static constinit std::atomic<int(*) parameters> known{nullptr};       \
    note();                                                               \
    return own(known, #name)(__VA_ARGS__);                                \
  }

PYVOCSEP_COUNT(pthread_mutex_lock, (pthread_mutex_t * lock), lock)
PYVOCSEP_COUNT(pthread_mutex_trylock, (pthread_mutex_t * lock), lock)
PYVOCSEP_COUNT(pthread_rwlock_rdlock, (pthread_rwlock_t * lock), lock)
PYVOCSEP_COUNT(pthread_rwlock_wrlock, (pthread_rwlock_t * lock), lock)
PYVOCSEP_COUNT(pthread_spin_lock, (pthread_spinlock_t * lock), lock)
PYVOCSEP_COUNT(pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t* lock), condition, lock)
PYVOCSEP_COUNT(sem_wait, (sem_t * semaphore), semaphore)

#endif
