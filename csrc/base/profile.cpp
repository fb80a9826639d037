#include "base/profile.h"

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace pyvocsep {

namespace {

constexpr int kStages = static_cast<int>(Stage::kCount);
constexpr std::array<const char*, kStages> kNames = {"analysis",  "features", "encoder", "sum and norm", "time GRU",
                                                     "ahead GRU", "band GRU", "decoder", "masking",      "synthesis"};

struct Table {
  std::array<std::atomic<int64_t>, kStages> nanoseconds{}, flops{};
  bool on;

  Table() {
    const char* value = std::getenv("PYVOCSEP_PROFILE");
    on = value != nullptr && *value != '\0' && std::string_view(value) != "0";
  }

  ~Table() {
    int64_t total = 0;
    for (const auto& time : nanoseconds) total += time;
    if (!on || total == 0) return;
    std::fprintf(stderr, "%-18s %10s %7s %9s\n", "stage", "ms", "share", "GFLOP/s");
    for (int i = 0; i < kStages; ++i) {
      const double time = static_cast<double>(nanoseconds[i]), work = static_cast<double>(flops[i]);
      if (time == 0) continue;
      std::fprintf(stderr, "%-18s %10.1f %6.1f%%", kNames[i], time * 1e-6, 100.0 * time / static_cast<double>(total));
      if (work > 0) std::fprintf(stderr, " %9.1f", work / time);
      std::fprintf(stderr, "\n");
    }
    std::fprintf(stderr, "%-18s %10.1f\n", "all", static_cast<double>(total) * 1e-6);
  }
};

Table table;

}  // namespace

bool profiling() noexcept { return table.on; }

void record(Stage stage, double flops, std::chrono::nanoseconds time) noexcept {
  const int i = static_cast<int>(stage);
  table.nanoseconds[i].fetch_add(time.count(), std::memory_order_relaxed);
  table.flops[i].fetch_add(static_cast<int64_t>(flops), std::memory_order_relaxed);
}

}  // namespace pyvocsep
