// Which kernels run: asked of the processor once, overridden by PYVOCSEP_ISA.
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "cpu.h"
#include "kernels.h"

namespace pyvocsep {

#if defined(__x86_64__)
namespace baseline {
extern const Kernels kTable;
}
namespace avx2 {
extern const Kernels kTable;
}
namespace avx512 {
extern const Kernels kTable;
}
namespace avx512bf16 {
extern const Kernels kTable;
}
#elif defined(__aarch64__)
namespace neon {
extern const Kernels kTable;
}
#else
namespace baseline {
extern const Kernels kTable;
}
#endif

KernelList available_kernels() {
#if defined(__x86_64__)
  KernelList list = {{&baseline::kTable}, 1};
  if (cpu_has_avx2()) list.table[list.count++] = &avx2::kTable;
  if (cpu_has_avx512()) list.table[list.count++] = &avx512::kTable;
  return list;
#elif defined(__aarch64__)
  return {{&neon::kTable}, 1};
#else
  return {{&baseline::kTable}, 1};
#endif
}

namespace {

const Kernels& choose() {
  const KernelList list = available_kernels();
  const char* forced = std::getenv("PYVOCSEP_ISA");
  if (forced == nullptr || *forced == '\0') return *list.table[list.count - 1];
  std::string names;
  for (int i = 0; i < list.count; ++i) {
    if (std::string_view(forced) == list.table[i]->name) return *list.table[i];
    names += (i ? ", " : "") + std::string(list.table[i]->name);
  }
  throw std::runtime_error("PYVOCSEP_ISA=" + std::string(forced) +
                           " is not an instruction set of this machine; it has " + names);
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

bool has_bfloat16() {
#if defined(__x86_64__)
  return cpu_has_avx512bf16() && &kernels() == &avx512::kTable;
#else
  return false;
#endif
}

const Kernels& kernels(Precision precision) {
  if (precision == Precision::kFloat32) return kernels();
#if defined(__x86_64__)
  if (has_bfloat16()) return avx512bf16::kTable;
#endif
  throw std::invalid_argument(
      std::string("precision is bfloat16, which needs a processor with AVX512-BF16; the kernels in use are '") +
      kernels().name + "': take float32");
}

}  // namespace pyvocsep
