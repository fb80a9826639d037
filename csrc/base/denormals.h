// Flushes denormal numbers to zero while in scope: they cost hundreds of cycles each and are inaudible.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace pyvocsep {

class FlushDenormals {
 public:
  FlushDenormals() : saved_(control()) { set_control(saved_ | kFlush); }
  ~FlushDenormals() { set_control(saved_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  // The register that controls floating-point arithmetic, and its bits that flush.
#if defined(__x86_64__)
  using Control = unsigned;
  static constexpr Control kFlush = 0x8040;  // flush to zero, denormals are zero
  static Control control() { return _mm_getcsr(); }
  static void set_control(Control value) { _mm_setcsr(value); }
#elif defined(__aarch64__)
  using Control = uint64_t;
  static constexpr Control kFlush = Control{1} << 24;
  static Control control() {
    Control value;
    asm volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void set_control(Control value) { asm volatile("msr fpcr, %0" ::"r"(value)); }
#elif defined(__arm__) && defined(__ARM_FP)
  using Control = uint32_t;
  static constexpr Control kFlush = Control{1} << 24;
  static Control control() {
    Control value;
    asm volatile("vmrs %0, fpscr" : "=r"(value));
    return value;
  }
  static void set_control(Control value) { asm volatile("vmsr fpscr, %0" ::"r"(value)); }
#else  // no way known: denormal numbers cost time there, but nothing else
  using Control = unsigned;
  static constexpr Control kFlush = 0;
  static Control control() { return 0; }
  static void set_control(Control) {}
#endif

  Control saved_;
};

}  // namespace pyvocsep
