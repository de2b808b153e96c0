// An awaitable of one's own: a one-shot signal that another thread sets. Shows the leaf protocol:
// look at the stop, register with it, post the waiter, never resume it. Run: own_leaf. Change
// first: set() before the wait, to see that nothing is lost.
#include <penstock/core.hpp>

#include <atomic>
#include <cstdio>
#include <thread>
#include <utility>

using namespace penstock;

// [leaf]
class signal_flag {
 public:
  class wait_awaiter : public leaf<wait_awaiter>, detail::stop_node {
   public:
    explicit wait_awaiter(signal_flag& f) noexcept : flag_(&f) {}
    wait_awaiter(wait_awaiter&& o) noexcept : leaf(), stop_node(), flag_(o.flag_) {}
    ~wait_awaiter() { leave(); }

    bool await_ready() const noexcept { return flag_->set_.load(std::memory_order_acquire); }
    suspension start(waiter& w) noexcept {
      flag_->lock_.lock();
      if (flag_->set_.load(std::memory_order_relaxed)) {
        flag_->lock_.unlock();
        return resume_now(w);
      }
      if (!w.env->stop->try_add(*this)) {  // requested already
        flag_->lock_.unlock();
        return stopped_now(w);
      }
      who_ = &w;
      flag_->parked_ = this;
      flag_->lock_.unlock();
      return parked();
    }
    void await_resume() noexcept { leave(); }

   private:
    friend signal_flag;
    bool claim() noexcept {  // decides once between set() and the stop
      flag_->lock_.lock();
      const bool mine = std::exchange(flag_->parked_, nullptr) != nullptr;
      flag_->lock_.unlock();
      return mine;
    }
    void leave() noexcept {
      if (!who_) return;
      detail::scope_stop::remove(*this);
      claim();
      who_ = nullptr;
    }
    void on_stop() noexcept override {
      if (claim()) who_->env->sched->post_stopped(*who_);
    }
    detail::wait_info info() const noexcept override { return {"signal_flag", flag_, who_}; }

    signal_flag* flag_;
    waiter* who_ = nullptr;
  };

  wait_awaiter wait() noexcept { return wait_awaiter(*this); }
  void set() noexcept {  // any thread
    lock_.lock();
    set_.store(true, std::memory_order_release);
    auto* w = std::exchange(parked_, nullptr);
    waiter* who = w ? w->who_ : nullptr;
    lock_.unlock();
    if (who) who->env->sched->post(*who);
  }

 private:
  detail::spin_lock lock_;
  std::atomic<bool> set_{false};
  wait_awaiter* parked_ = nullptr;  // guarded by lock_: one waiter
};
// [/leaf]

task<> listen(signal_flag& flag) {
  co_await flag.wait();
  std::puts("signalled");
}

int main() {
  signal_flag flag;
  std::thread other([&] { flag.set(); });
  sync_wait(listen(flag));
  other.join();
}

// Output:
// signalled
