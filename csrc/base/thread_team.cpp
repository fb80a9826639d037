#include "base/thread_team.h"

#include "base/denormals.h"

namespace pyvocsep {

namespace {

// Waits until the value is no longer `old`. A stage of the network takes about 100 us, less than a sleeping thread
// needs to wake up: so it spins first, and sleeps only when the next block of audio is late.
void wait_while(const std::atomic<uint32_t>& value, uint32_t old) noexcept {
  for (int spin = 0; spin < 4000; ++spin) {
    if (value.load(std::memory_order_acquire) != old) return;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadTeam::ThreadTeam(int threads) {
  for (int thread = 1; thread < threads; ++thread) workers_.emplace_back([this, thread] { work(thread); });
}

ThreadTeam::~ThreadTeam() {
  stop_.store(true, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadTeam::run(Job job, const void* context) noexcept {
  job_ = job;
  context_ = context;
  running_.store(static_cast<uint32_t>(workers_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  job(context, 0);
  for (uint32_t left; (left = running_.load(std::memory_order_acquire)) != 0;) wait_while(running_, left);
}

void ThreadTeam::work(int thread) noexcept {
  const FlushDenormals flush;
  for (uint32_t seen = 0;;) {
    wait_while(round_, seen);
    ++seen;
    if (stop_.load(std::memory_order_relaxed)) return;
    job_(context_, thread);
    if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) running_.notify_one();
  }
}

}  // namespace pyvocsep
