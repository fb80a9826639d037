// How many processors this process may use at once: more threads than that would only take time from each other.
#pragma once

#include <string>

namespace pyvocsep {

// Where control groups are mounted, and the file that lists those of this process.
inline constexpr const char* kGroupsRoot = "/sys/fs/cgroup";
inline constexpr const char* kOwnGroups = "/proc/self/cgroup";

// The processors that the affinity mask names, but no more than the control groups of the process allow; at least 1.
int usable_processors(const std::string& root = kGroupsRoot, const std::string& self = kOwnGroups);

// The least quota, in whole processors rounded up, of the control groups (version 1 or 2) of a process and of all
// groups around them; 0 if there is none.
int quota_processors(const std::string& root = kGroupsRoot, const std::string& self = kOwnGroups);

}  // namespace pyvocsep
