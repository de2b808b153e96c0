// penstock/upload/detail/uploader.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// One upload: prepare, send what is missing, complete; or leave in good order.

#include <penstock/core/shield.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/pool/buffer_pool.hpp>
#include <penstock/resilience/retry.hpp>
#include <penstock/upload/journal_core.hpp>
#include <penstock/upload/upload_options.hpp>

#include <optional>

namespace penstock::detail {

struct no_journal {};
struct no_progress {
  void operator()(const upload_progress&) const noexcept {}
};

template <class Journal>
std::string journal_path(const Journal& journal) {
  if constexpr (requires { std::string(journal.path()); }) return std::string(journal.path());
  return {};
}

// Nothing: there is no journal, or the rest of one that was cut off in its header.
template <class Journal>
task<result<std::optional<journal_state>>> load_state(Journal& journal) {
  const std::string text = co_await ok(journal.load());
  auto state = parse_journal(text);
  if (state || begins_journal(text)) co_return state;
  co_return fail(errc::invalid_option, "resume from what is not a journal", journal_path(journal));
}

// What can be in flight of a plan, within the budget; blocks no larger than its parts need.
inline buffer_pool_options buffers_for(const part_plan& plan, const upload_options& o,
                                       bool direct) {
  constexpr std::uint64_t unit = 64u << 10;  // of direct I/O: also a small part's block has it
  const std::uint64_t part = (std::min)(plan.part_size, (std::max)(plan.length, std::uint64_t{1}));
  const std::uint64_t whole = (part + unit - 1) / unit * unit;
  const std::uint64_t block = (std::min)(std::uint64_t{o.block_size}, whole);
  const std::uint64_t lanes = (std::min)(std::uint64_t{part_lanes}, (part + block - 1) / block);
  const std::uint64_t parts = (std::min)(std::uint64_t{o.concurrency},
                                         (std::max)(std::uint64_t{plan.count}, std::uint64_t{1}));
  const std::uint64_t count = (std::min)(o.memory_budget / block, parts * lanes);
  return {.buffer_size = static_cast<std::size_t>(block),
          .count = static_cast<std::size_t>(count),
          .alignment = 4096,
          .registered = direct};
}

template <class Source, class Target, class Journal, class Progress>
class uploader {
  static constexpr bool journaled = !std::is_same_v<Journal, no_journal>;
  using session_type = typename Target::session;

 public:
  uploader(Source& source, Target& target, std::string name, const upload_options& o,
           Journal journal, Progress progress)
      : source_(source),
        target_(target),
        name_(std::move(name)),
        options_(o),
        journal_(std::move(journal)),
        progress_(std::move(progress)) {}

  task<result<upload_report>> work() {
    identity_ = co_await ok(identify());
    co_await ok(prepare());
    show(co_await this_task::now(), true);
    buffers_.emplace(buffers_for(plan_, options_, limits().alignment > 1));
    co_await ok(send_missing());
    const source_identity after = co_await ok(identify());
    if (after != identity_) co_return fail(errc::source_changed, "read", name_);
    if constexpr (journaled) co_await ok(journal_.sync());
    // One step for a stop: either it comes before and nothing is visible, or all of it is done.
    co_await ok(shield(finish()));
    co_return upload_report{plan_.length, plan_.count, sent_};
  }
  // After work(), however it ended; nothing is in flight any more. Its errors have nowhere to go:
  // the upload's own is reported.
  task<> leave() {
    if (completed_ || !session_) co_return;
    if constexpr (journaled) {
      if (recorded_) {
        static_cast<void>(co_await journal_.sync());
        co_return;
      }
    }
    static_cast<void>(co_await session_->abort());
    if constexpr (journaled) {
      if (restarted_) static_cast<void>(co_await journal_.remove());
    }
  }

 private:
  // Once the object is there the upload has succeeded: what cannot be tidied up is left behind, and
  // the next upload of that name replaces it.
  task<result<>> finish() {
    co_await ok(session_->complete());
    completed_ = true;
    if constexpr (journaled) static_cast<void>(co_await journal_.remove());
    if constexpr (requires { session_->forget(); }) static_cast<void>(co_await session_->forget());
    show(co_await this_task::now(), true);
    co_return {};
  }

  task<result<source_identity>> identify() {
    auto s = co_await ok(source_.stat());
    using status = decltype(s);
    if constexpr (requires { status::kind; }) {
      using kinds = decltype(s.kind);
      if (s.kind == kinds::directory) co_return fail(std::errc::is_a_directory, "read", name_);
    }
    co_return source_identity{s.size, s.mtime_ns, s.ctime_ns, s.inode};
  }

  task<result<>> prepare() {
    if constexpr (journaled) {
      auto state = co_await ok(load_state(journal_));
      if (state) {
        if (state->name != name_) {
          error other = error(errc::invalid_option).with("it is of object", state->name);
          co_return fail(std::move(other).with("resume from journal", journal_path(journal_)));
        }
        if (state->source != identity_) co_return fail(errc::source_changed, "resume", name_);
        auto again = co_await target_.resume(name_, state->plan, state->id);
        if (again) {
          session_.emplace(std::move(*again));
          auto taken = co_await take_over(*state);
          if (taken || taken.error() != errc::not_found) co_return taken;
          recorded_ = false;
          session_.reset();
        } else if (again.error() != errc::not_found) {
          co_return fail(again.error());
        }
      }
    }
    plan_ = co_await ok(plan_parts(identity_.size, options_.part_size, limits()));
    // A stop comes after it: what the target has begun is known and can be aborted.
    auto fresh = co_await ok(shield(target_.begin(name_, plan_)));
    session_.emplace(std::move(fresh));
    have_.assign(plan_.count, false);
    if constexpr (journaled) {
      const std::string header = encode_header(identity_, plan_, session_->id(), name_);
      restarted_ = true;
      co_await ok(journal_.restart(header));
      journal_end_ = header.size();
      recorded_ = true;
    }
    co_return {};
  }
  // Direct I/O of either side asks that parts begin at multiples of something.
  [[nodiscard]] part_limits limits() const {
    part_limits l;
    if constexpr (requires { target_.part_alignment(); })
      l.alignment = (std::max)(l.alignment, std::uint64_t{target_.part_alignment()});
    if constexpr (requires { source_.alignment().offset; })
      l.alignment = (std::max)(l.alignment, std::uint64_t{source_.alignment().offset});
    return l;
  }
  // Parts that the journal and the target agree on are done.
  task<result<>> take_over(journal_state& state) {
    plan_ = state.plan;
    journal_end_ = state.valid_bytes;
    recorded_ = true;
    have_.assign(plan_.count, false);
    const auto listed = co_await ok(session_->list());
    for (const part_receipt& r : listed) {
      if (r.index >= plan_.count || state.parts[r.index] != r || have_[r.index]) continue;
      have_[r.index] = true;
      note(r.size);
    }
    co_return {};
  }

  task<result<>> send_missing() {
    auto send = [this](std::uint32_t index) { return send_part(index); };
    const group_options limit{.max_running = options_.concurrency};
    auto body = [&](task_group& group) -> task<result<>> {
      for (std::uint32_t i = 0; i < plan_.count; ++i) {
        if (!have_[i]) co_await group.start(send, i);
      }
      co_return {};
    };
    co_return co_await with_group(limit, body);
  }
  task<result<>> send_part(std::uint32_t index) {
    const upload_part part = plan_.part(index);
    auto put = [&] { return session_->put_part(source_, part, *buffers_); };
    const retry_options tries{
        .attempts = options_.part_attempts,
        .backoff = exponential(options_.retry_delay, {.cap = std::chrono::seconds(20)})};
    auto with_retry = retry(tries);
    const part_receipt receipt = co_await ok(with_retry(idempotent(put)));
    if constexpr (journaled) {
      const std::string line = encode_part(receipt);
      const std::uint64_t at = std::exchange(journal_end_, journal_end_ + line.size());
      co_await ok(journal_.append(at, line));
      const time_point now = co_await this_task::now();
      if (now >= next_sync_) {
        next_sync_ = add_saturated(now, options_.journal_sync_interval);
        co_await ok(journal_.sync());
      }
    }
    have_[index] = true;
    ++sent_;
    note(receipt.size);
    show(co_await this_task::now(), false);
    co_return {};
  }

  void note(std::uint64_t bytes) noexcept {
    bytes_done_ += bytes;
    ++parts_done_;
  }
  void show(time_point now, bool always) {
    if (!always && now < next_show_) return;
    next_show_ = add_saturated(now, options_.progress_interval);
    progress_(upload_progress{bytes_done_, plan_.length, parts_done_, plan_.count});
  }

  Source& source_;
  Target& target_;
  std::string name_;
  upload_options options_;
  [[no_unique_address]] Journal journal_;
  [[no_unique_address]] Progress progress_;
  std::optional<buffer_pool> buffers_;

  source_identity identity_;
  part_plan plan_;
  std::optional<session_type> session_;
  std::vector<bool> have_;
  std::uint64_t journal_end_ = 0;
  std::uint64_t bytes_done_ = 0;
  std::uint32_t parts_done_ = 0;
  std::uint32_t sent_ = 0;
  time_point next_show_{};
  time_point next_sync_{};
  bool restarted_ = false;  // the journal holds nothing of an earlier run any more
  bool recorded_ = false;   // the journal says what the target has begun
  bool completed_ = false;
};

}  // namespace penstock::detail
