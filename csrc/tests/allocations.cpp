#include "tests/allocations.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>  // which tells whether the C library is glibc

namespace pyvocsep::test {

namespace {
std::atomic<bool> counting{false};
std::atomic<int> counted{0};
}  // namespace

CountAllocations::CountAllocations() {
  counted = 0;
  counting = true;
}
CountAllocations::~CountAllocations() { counting = false; }
int CountAllocations::count() const { return counted; }

void CountAllocations::note() {
  if (counting.load(std::memory_order_relaxed)) counted.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace pyvocsep::test

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

// The address sanitizer replaces malloc itself, and offers hooks.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, size_t),
                                                         void (*)(const volatile void*));
namespace {
const int installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, size_t) { pyvocsep::test::CountAllocations::note(); },
    [](const volatile void*) { pyvocsep::test::CountAllocations::note(); });
}  // namespace

#elif defined(__GLIBC__)

// These definitions replace glibc's, which remain callable by their other names. Visible, so that they replace them in
// shared libraries too.
#pragma GCC visibility push(default)
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);

void* malloc(size_t size) {
  pyvocsep::test::CountAllocations::note();
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  pyvocsep::test::CountAllocations::note();
  return __libc_calloc(count, size);
}
void* realloc(void* p, size_t size) {
  pyvocsep::test::CountAllocations::note();
  return __libc_realloc(p, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  pyvocsep::test::CountAllocations::note();
  return __libc_memalign(alignment, size);
}
void free(void* p) {
  pyvocsep::test::CountAllocations::note();
  __libc_free(p);
}
}
#pragma GCC visibility pop

#endif
