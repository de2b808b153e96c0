// tests/model/fiber.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A stack of its own for each logical thread of a schedule, all on one thread of the system. What
/// the library keeps in thread-locals goes along: the present loop and the next coroutine. Two do
/// not, so that only one thread of a scenario may request stops, and stop callbacks of the token
/// (not of leaves) are not explored: where the walk of a stop is, and the mark of the thread.

#include <model/loop.hpp>

#include <ucontext.h>
#include <cstddef>
#include <cstdlib>
#include <memory>

#if PENSTOCK_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

namespace model {

inline loop nobodys_loop;

class fiber {
 public:
  using function = void (*)(void*);

  // The stack that the program runs on.
  fiber() noexcept = default;
  explicit fiber(std::size_t size)
      : memory_(std::make_unique_for_overwrite<std::byte[]>(size)),
        stack_(memory_.get()),
        size_(size) {}
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;

  // The next switch to it calls fn(argument), which must not return.
  void prepare(function fn, void* argument) {
    fn_ = fn;
    argument_ = argument;
    ::getcontext(&context_);
    context_.uc_stack.ss_sp = memory_.get();
    context_.uc_stack.ss_size = size_;
    context_.uc_link = nullptr;
    const auto self = reinterpret_cast<std::uintptr_t>(this);
    ::makecontext(&context_, reinterpret_cast<void (*)()>(&begin), 2,
                  static_cast<unsigned>(self >> 32), static_cast<unsigned>(self & 0xffff'ffff));
  }
  void switch_to(fiber& to) noexcept {
    const loop::enter elsewhere(nobodys_loop);
    to.from_ = this;
#if PENSTOCK_ASAN
    __sanitizer_start_switch_fiber(&fake_stack_, to.stack_, to.size_);
#endif
    ::swapcontext(&context_, &to.context_);
    arrived();
  }

 private:
  static void begin(unsigned high, unsigned low) {
    auto& self = *reinterpret_cast<fiber*>((std::uintptr_t{high} << 32) | low);
    self.arrived();
    self.fn_(self.argument_);
    std::abort();
  }
  void arrived() noexcept {
#if PENSTOCK_ASAN
    const void* stack = nullptr;
    std::size_t size = 0;
    __sanitizer_finish_switch_fiber(fake_stack_, &stack, &size);
    fake_stack_ = nullptr;
    if (!from_->stack_) {
      from_->stack_ = stack;
      from_->size_ = size;
    }
#endif
  }

  std::unique_ptr<std::byte[]> memory_;
  const void* stack_ = nullptr;  // lowest address; the program's is known after the first switch
  std::size_t size_ = 0;
  function fn_ = nullptr;
  void* argument_ = nullptr;
  fiber* from_ = nullptr;
  [[maybe_unused]] void* fake_stack_ = nullptr;
  ucontext_t context_{};
};

}  // namespace model
