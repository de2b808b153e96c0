// penstock/resilience/detail/keyed_cells.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// An open-addressing table of fixed size: linear probing, and what is removed leaves no trace,
/// because those behind it move up. Untouched pages cost nothing.

#include <penstock/base/assert.hpp>
#include <penstock/base/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace penstock::detail {

// One thread at a time. `Body` has a `key`.
template <class Body>
class keyed_cells {
  static_assert(std::is_nothrow_move_constructible_v<Body>, "keys and cores move without throwing");

 public:
  // Nobody is here: tag 0.
  struct cell {
    std::uint32_t tag;
    std::uint32_t waiting;  // the user's, 0 at first
    alignas(Body) std::byte storage[sizeof(Body)];
    Body& body() noexcept { return *std::launder(reinterpret_cast<Body*>(storage)); }
  };
  static_assert(std::is_trivial_v<cell>);

  // Room for `most`, at a load that keeps probes short.
  explicit keyed_cells(std::size_t most) : count_(2 * most + 2), memory_(allocate(count_)) {
    const auto first = reinterpret_cast<std::uintptr_t>(memory_.get());
    cells_ = reinterpret_cast<cell*>((first + line - 1) / line * line);
  }
  keyed_cells(const keyed_cells&) = delete;
  keyed_cells& operator=(const keyed_cells&) = delete;
  ~keyed_cells() {
    for (std::size_t i = 0; used_ != 0; ++i) {
      if (at(i).tag == 0) continue;
      at(i).body().~Body();
      --used_;
    }
  }

  // Different hashes may have the same tag; none has 0.
  static std::uint32_t tag_of(std::uint64_t hash) noexcept {
    const auto tag = static_cast<std::uint32_t>(hash);
    return tag ? tag : 1;
  }
  // Where the search for `tag` begins, on its way to the cache.
  void prefetch(std::uint32_t tag) const noexcept { __builtin_prefetch(&at(home(tag)), 1); }
  template <class Key>
  cell* find(std::uint32_t tag, const Key& key) noexcept {
    for (std::size_t i = home(tag);; i = next(i)) {
      cell& c = at(i);
      if (c.tag == tag && c.body().key == key) return &c;
      if (c.tag == 0) return nullptr;
    }
  }
  // What is not in it yet. Null: there is no room.
  cell* insert(std::uint32_t tag, Body&& body) noexcept {
    if (used_ + 1 >= count_) return nullptr;
    std::size_t i = home(tag);
    while (at(i).tag != 0) i = next(i);
    ++used_;
    return &put(at(i), tag, 0, std::move(body));
  }
  // Removes one for which goes(cell) is true, if there is one among the next few that it looks at.
  template <class Goes>
  bool remove_one(Goes&& goes) noexcept {
    for (std::size_t looked = 0, seen = 0; seen < few && looked < 8 * few; ++looked) {
      const std::size_t i = hand_;
      hand_ = next(hand_);
      if (at(i).tag == 0) continue;
      ++seen;
      if (!goes(at(i))) continue;
      remove(i);
      hand_ = i;
      return true;
    }
    return false;
  }

 private:
  static constexpr std::size_t line = 64;
  static constexpr std::size_t few = 32;
  // Small cells do not cross a cache line.
  static constexpr std::size_t stride() noexcept {
    std::size_t power = 1;
    while (power < sizeof(cell)) power *= 2;
    return power <= line ? power : sizeof(cell);
  }
  static_assert(alignof(cell) <= line);
  struct release {
    void operator()(void* p) const noexcept { std::free(p); }
  };
  static std::unique_ptr<void, release> allocate(std::size_t count) {
    void* const p = std::calloc(count + line, stride());  // zeros: no cell is taken
    if (!p) throw std::bad_alloc();
    return std::unique_ptr<void, release>(p);
  }

  [[nodiscard]] cell& at(std::size_t i) const noexcept {
    return *reinterpret_cast<cell*>(reinterpret_cast<std::byte*>(cells_) + i * stride());
  }
  [[nodiscard]] std::size_t next(std::size_t i) const noexcept {
    return i + 1 == count_ ? 0 : i + 1;
  }
  [[nodiscard]] std::size_t home(std::uint32_t tag) const noexcept {
    return static_cast<std::size_t>((static_cast<std::uint64_t>(tag) * count_) >> 32);
  }
  static cell& put(cell& c, std::uint32_t tag, std::uint32_t waiting, Body&& body) noexcept {
    c.tag = tag;
    c.waiting = waiting;
    ::new (static_cast<void*>(c.storage)) Body(std::move(body));
    return c;
  }
  void remove(std::size_t hole) noexcept {
    at(hole).body().~Body();
    for (std::size_t i = next(hole); at(i).tag != 0; i = next(i)) {
      // One that would not be found from its home behind the hole moves into it.
      const std::size_t from_home = distance(home(at(i).tag), i);
      if (from_home < distance(hole, i)) continue;
      put(at(hole), at(i).tag, at(i).waiting, std::move(at(i).body()));
      at(i).body().~Body();
      hole = i;
    }
    at(hole).tag = 0;
    --used_;
  }
  [[nodiscard]] std::size_t distance(std::size_t from, std::size_t to) const noexcept {
    return to >= from ? to - from : to + count_ - from;
  }

  const std::size_t count_;
  std::unique_ptr<void, release> memory_;
  cell* cells_ = nullptr;
  std::size_t used_ = 0;
  std::size_t hand_ = 0;
};

}  // namespace penstock::detail
