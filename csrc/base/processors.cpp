#include "base/processors.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

namespace pyvocsep {

namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File open(const std::string& path) { return File(std::fopen(path.c_str(), "r"), std::fclose); }

// The first words of a file as numbers; false if it is missing or says anything else.
template <size_t count>
bool read_numbers(const std::string& path, double (&numbers)[count]) {
  const File file = open(path);
  for (double& number : numbers)
    if (!file || std::fscanf(file.get(), "%lf", &number) != 1) return false;
  return true;
}

// Microseconds of processor time in each period, of one group, as a number of processors.
std::optional<double> group_quota(const std::string& folder, bool version_1) {
  double values[2] = {};
  if (version_1) {
    double quota[1], period[1];
    if (!read_numbers(folder + "/cpu.cfs_quota_us", quota) || !read_numbers(folder + "/cpu.cfs_period_us", period))
      return {};
    values[0] = quota[0];
    values[1] = period[0];
  } else if (!read_numbers(folder + "/cpu.max", values)) {  // "max" where there is no quota
    return {};
  }
  if (!(values[0] > 0 && values[1] > 0)) return {};
  return values[0] / values[1];
}

bool names_cpu(const std::string& controllers) { return ("," + controllers + ",").find(",cpu,") != std::string::npos; }

int affinity_processors() {
#if defined(__linux__)
  for (size_t most = 1024; most <= size_t{1} << 18; most *= 2) {  // the kernel refuses a mask that is too short
    cpu_set_t* const set = CPU_ALLOC(most);
    if (set == nullptr) break;
    const bool told = sched_getaffinity(0, CPU_ALLOC_SIZE(most), set) == 0;
    const int count = told ? CPU_COUNT_S(CPU_ALLOC_SIZE(most), set) : 0;
    CPU_FREE(set);
    if (told) return count;
  }
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

int quota_processors(const std::string& root, const std::string& self) {
  std::optional<double> least;
  const File groups = open(self);
  for (char text[4096]; groups && std::fgets(text, sizeof text, groups.get()) != nullptr;) {
    const std::string line(text, std::strcspn(text, "\n"));  // <number>:<controllers>:<path>
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool version_1 = !controllers.empty();
    if (version_1 && !names_cpu(controllers)) continue;
    const std::vector<std::string> mounts =
        version_1 ? std::vector<std::string>{"/" + controllers, "/cpu"} : std::vector<std::string>{"", "/unified"};
    for (const std::string& mount : mounts)
      for (std::string path = line.substr(second + 1);; path.resize(path.rfind('/'))) {
        while (path.ends_with('/')) path.pop_back();
        if (const std::optional<double> quota = group_quota(root + mount + path, version_1))
          least = std::min(least.value_or(*quota), *quota);
        if (path.find('/') == std::string::npos) break;
      }
  }
  return least && *least < 1e6 ? static_cast<int>(std::ceil(*least)) : 0;
}

int usable_processors(const std::string& root, const std::string& self) {
  const int mask = std::max(affinity_processors(), 1), quota = quota_processors(root, self);
  return quota > 0 ? std::min(mask, quota) : mask;
}

}  // namespace pyvocsep
