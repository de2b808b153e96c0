// tests/upload/memory_upload.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A source, a target and a journal in memory, with faults and virtual latency, for upload tests.

#include <penstock/core.hpp>
#include <penstock/upload.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace upload_test {
using namespace penstock;

struct memory_source {
  struct status {
    std::uint64_t size = 0;
    std::int64_t mtime_ns = 1, ctime_ns = 1;
    std::uint64_t inode = 7;
  };
  std::string bytes;
  status state;
  duration latency{};

  explicit memory_source(std::size_t size) : bytes(size, '\0') {
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + (i >> 9));
    state.size = size;
  }
  task<result<status>> stat() { co_return state; }
  task<result<std::size_t>> read_at(std::uint64_t offset, std::span<std::byte> to) {
    co_await sleep_for(latency);
    const std::size_t at = (std::min)(static_cast<std::size_t>(offset), bytes.size());
    const std::size_t n = (std::min)(to.size(), bytes.size() - at);
    std::copy_n(reinterpret_cast<const std::byte*>(bytes.data()) + at, n, to.data());
    co_return n;
  }
};

// What a server would remember, whoever asks.
struct memory_store {
  struct pending {
    std::string name;
    part_plan plan;
    std::map<std::uint32_t, std::string> parts;
  };
  std::map<std::string, std::string> objects;
  std::map<std::string, pending> uploads;
  std::map<std::uint32_t, int> failures;  // part -> how often put_part fails
  errc failure = errc::overloaded;
  errc complete_failure{};
  duration latency = std::chrono::milliseconds(10);
  std::optional<duration> put_latency;    // of a part that is taken; else the same
  std::size_t blocks_held = 1;            // by one part at once, until it ends, if they are free
  std::function<void()> before_complete;  // looks at the state at that moment
  int begins = 0, puts = 0, completes = 0, aborts = 0;
  int in_flight = 0, peak = 0;
  int cut = 0;  // puts that a stop ended
  std::size_t peak_buffers = 0;
};

class memory_session {
 public:
  memory_session(memory_store& s, std::string id) : store_(&s), id_(std::move(id)) {}
  const std::string& id() const { return id_; }

  template <class Source>
  task<result<part_receipt>> put_part(Source& source, const upload_part& part,
                                      buffer_pool& buffers) {
    auto& s = *store_;
    ++s.puts;
    s.peak = (std::max)(s.peak, ++s.in_flight);
    scope_exit leave([&] { --s.in_flight; });
    scope_exit cut([&] { ++s.cut; });
    if (s.failures[part.index] > 0) {
      --s.failures[part.index];
      co_await sleep_for(s.latency);
      cut.release();
      co_return fail(s.failure, "put part", std::to_string(part.index));
    }
    std::string bytes;
    std::vector<buffer> held;
    while (bytes.size() < part.size) {
      buffer block = co_await ok(buffers.acquire());
      while (held.size() + 1 < s.blocks_held) {
        auto more = buffers.try_acquire();
        if (!more) break;
        held.push_back(std::move(*more));
      }
      s.peak_buffers = (std::max)(s.peak_buffers, buffers.in_use());
      const auto want = static_cast<std::size_t>(
          (std::min)(static_cast<std::uint64_t>(block.size()), part.size - bytes.size()));
      const std::size_t n = co_await ok(
          source.read_at(part.offset + bytes.size(), block.mutable_bytes().first(want)));
      if (n < want) {
        cut.release();
        co_return fail(errc::source_changed, "read");
      }
      bytes.append(block.first(n).text());
    }
    co_await sleep_for(s.put_latency.value_or(s.latency));
    cut.release();
    const std::uint32_t crc = crc32c(std::string_view(bytes));
    s.uploads[id_].parts[part.index] = std::move(bytes);
    co_return part_receipt{part.index, part.size, crc};
  }
  task<result<std::vector<part_receipt>>> list() {
    co_await sleep_for(store_->latency);
    if (!store_->uploads.contains(id_)) co_return fail(errc::not_found, "list", id_);
    std::vector<part_receipt> all;
    for (auto& [index, bytes] : store_->uploads[id_].parts) {
      all.push_back({index, bytes.size(), crc32c(std::string_view(bytes))});
    }
    co_return all;
  }
  task<result<>> complete() {
    co_await sleep_for(store_->latency);
    ++store_->completes;
    if (store_->before_complete) store_->before_complete();
    if (store_->complete_failure != errc{}) co_return fail(store_->complete_failure, "complete");
    auto& u = store_->uploads[id_];
    std::string whole;
    for (auto& [index, bytes] : u.parts) whole += bytes;
    store_->objects[u.name] = std::move(whole);
    store_->uploads.erase(id_);
    co_await sleep_for(store_->latency);  // the answer comes later than the object
    co_return {};
  }
  task<result<>> abort() {
    co_await sleep_for(store_->latency);
    ++store_->aborts;
    store_->uploads.erase(id_);
    co_return {};
  }

 private:
  memory_store* store_;
  std::string id_;
};

struct memory_target {
  using session = memory_session;
  memory_store& store;

  task<result<session>> begin(std::string name, part_plan plan) {
    co_await sleep_for(store.latency);
    std::string id = "id" + std::to_string(++store.begins);
    memory_store::pending fresh;
    fresh.name = std::move(name);
    fresh.plan = plan;
    store.uploads[id] = std::move(fresh);
    co_return session(store, std::move(id));
  }
  task<result<session>> resume(std::string, part_plan, std::string id) {
    co_await sleep_for(store.latency);
    if (!store.uploads.contains(id)) co_return fail(errc::not_found, "resume", id);
    co_return session(store, std::move(id));
  }
};

// A disk that loses its power between two runs: what was synced is there for the next one.
struct memory_journal {
  struct disk {
    std::string durable;
    int syncs = 0;
  };
  std::shared_ptr<std::string> text = std::make_shared<std::string>();
  std::shared_ptr<disk> on_disk = std::make_shared<disk>();

  // As an earlier run has left it.
  void put(const std::string& t) { *text = on_disk->durable = t; }

  task<result<std::string>> load() { co_return * text = on_disk->durable; }
  task<result<>> restart(std::string t) {
    co_await sleep_for(std::chrono::milliseconds(1));
    put(t);
    co_return {};
  }
  task<result<>> append(std::uint64_t at, std::string t) {
    co_await sleep_for(std::chrono::milliseconds(1));
    if (text->size() < at + t.size()) text->resize(static_cast<std::size_t>(at) + t.size());
    text->replace(static_cast<std::size_t>(at), t.size(), t);
    co_return {};
  }
  task<result<>> sync() {
    co_await sleep_for(std::chrono::milliseconds(1));
    ++on_disk->syncs;
    on_disk->durable = *text;
    co_return {};
  }
  task<result<>> remove() {
    put({});
    co_return {};
  }
};

static_assert(upload_source<memory_source>);
static_assert(upload_target<memory_target>);
static_assert(upload_journal<memory_journal>);
}  // namespace upload_test
