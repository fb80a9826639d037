// Chooses the kernels: by what the processor has, or by PYVOCSEP_ISA.
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "kernels/cpu.h"
#include "kernels/kernels.h"

namespace pyvocsep {

// The tables that cmake/kernels.cmake compiles for this processor.
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
namespace avx512vnni {
extern const Kernels kTable;
}
namespace avx2vnni {
extern const Kernels kTable;
}
#elif defined(__aarch64__)
namespace neon {
extern const Kernels kTable;
}
namespace neonbf16 {
extern const Kernels kTable;
}
namespace neondot {
extern const Kernels kTable;
}
#elif defined(__arm__)
namespace baseline {
extern const Kernels kTable;
}
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
  if (Cpu::self().avx2()) list.table[list.count++] = &avx2::kTable;
  if (Cpu::self().avx512()) list.table[list.count++] = &avx512::kTable;
  return list;
#elif defined(__aarch64__)
  return {{&neon::kTable}, 1};
#elif defined(__arm__)
  KernelList list = {{&baseline::kTable}, 1};
  if (cpu_has_neon()) list.table[list.count++] = &neon::kTable;
  return list;
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

namespace {

// The table with the vectors of kernels() and products of another precision; null if the machine has none.
const Kernels* table_for([[maybe_unused]] Precision precision) {
#if defined(__x86_64__)
  const Kernels* own = &kernels();
  if (precision == Precision::kBfloat16 && own == &avx512::kTable && Cpu::self().avx512bf16())
    return &avx512bf16::kTable;
  if (precision == Precision::kInt8 && own == &avx512::kTable && Cpu::self().avx512vnni()) return &avx512vnni::kTable;
  if (precision == Precision::kInt8 && own == &avx2::kTable && Cpu::self().avxvnni()) return &avx2vnni::kTable;
#elif defined(__aarch64__)
  if (precision == Precision::kBfloat16 && cpu_has_bfloat16()) return &neonbf16::kTable;
  if (precision == Precision::kInt8 && cpu_has_dot_products()) return &neondot::kTable;
#endif
  return nullptr;
}

}  // namespace

bool has_precision(Precision precision) { return precision == Precision::kFloat32 || table_for(precision) != nullptr; }

const Kernels& kernels(Precision precision) {
  if (precision == Precision::kFloat32) return kernels();
  if (const Kernels* table = table_for(precision)) return *table;
  throw std::invalid_argument(
      std::string(precision == Precision::kBfloat16
                      ? "precision is bfloat16, which needs a processor with AVX512-BF16 or Arm's BF16"
                      : "precision is int8, which needs a processor with VNNI or Arm's dot products") +
      "; the kernels in use are '" + kernels().name + "': take float32");
}

}  // namespace pyvocsep
