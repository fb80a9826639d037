// How many processors this process may use at once: more threads than that would only take time from each other.
#pragma once

#include <string>

namespace pyvocsep {

// The processors that the affinity mask names, but no more than the control groups of the process allow; at least 1.
int usable_processors();

// The least quota, in whole processors rounded up, of the control groups (version 1 or 2) of a process and of all
// groups around them; 0 if there is none. `root` is where control groups are mounted, `self` the file that lists the
// process's.
int quota_processors(const std::string& root = "/sys/fs/cgroup", const std::string& self = "/proc/self/cgroup");

}  // namespace pyvocsep
