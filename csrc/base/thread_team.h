// A fixed team of threads that run the same function on different shares of a loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace pyvocsep {

class ThreadTeam {
 public:
  // Starts threads - 1 threads: the caller of split() is the remaining one. A team of one never blocks.
  explicit ThreadTeam(int threads);
  ~ThreadTeam();

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(begin, end) with consecutive shares of 0..count, one on each thread; returns when all have returned.
  template <typename Body>
  void split(int count, const Body& body) noexcept {
    if (size() == 1 || count < 2) {
      if (count > 0) body(0, count);
      return;
    }
    const auto share = [&](int thread) {
      const int begin = count * thread / size(), end = count * (thread + 1) / size();
      if (begin < end) body(begin, end);
    };
    run([](const void* context, int thread) { (*static_cast<const decltype(share)*>(context))(thread); }, &share);
  }

 private:
  using Job = void (*)(const void* context, int thread);
  void run(Job job, const void* context) noexcept;
  void work(int thread) noexcept;

  Job job_ = nullptr;
  const void* context_ = nullptr;
  // Each on its own cache line: threads spin on these, and would slow down every access to a neighbour on the same
  // line.
  alignas(64) std::atomic<uint32_t> round_{0};    // grows by one for each job
  alignas(64) std::atomic<uint32_t> running_{0};  // workers that have not finished it
  alignas(64) std::atomic<bool> stop_{false};
  std::vector<std::thread> workers_;
};

}  // namespace pyvocsep
