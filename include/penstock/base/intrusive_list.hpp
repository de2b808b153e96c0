// penstock/base/intrusive_list.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The project's one doubly linked list: its nodes are bases of the objects in it, so that adding
/// allocates nothing and removing any element is O(1).

#include <penstock/base/assert.hpp>
#include <penstock/base/taken.hpp>

#include <cstddef>
#include <iterator>
#include <utility>

namespace penstock::detail {

// A base of what is put into an intrusive_list. Copying a node does not copy its place in a list.
struct list_node {
  constexpr list_node() noexcept = default;
  constexpr list_node(const list_node&) noexcept {}
  constexpr list_node& operator=(const list_node&) noexcept { return *this; }

  // Whether it is in a list.
  [[nodiscard]] constexpr bool linked() const noexcept { return prev != nullptr; }

  list_node* prev = nullptr;  // null: in no list; itself: the first
  list_node* next = nullptr;  // null: the last, or in no list
};

// A second node for an object that is in two lists at once: one base per tag.
template <class Tag>
struct tagged_list_node : list_node {};

// A list of objects that it does not own. 16 bytes, constant-initialised, movable: no node points
// to the list. `T` derives publicly from `Node`, which is list_node or a tagged_list_node.
template <class T, class Node = list_node>
class intrusive_list {
 public:
  class iterator;

  constexpr intrusive_list() noexcept = default;
  constexpr intrusive_list(intrusive_list&& other) noexcept
      : first_(detail::taken(other.first_)), last_(detail::taken(other.last_)) {}
  constexpr intrusive_list& operator=(intrusive_list&& other) noexcept {
    first_ = detail::taken(other.first_);
    last_ = detail::taken(other.last_);
    return *this;
  }

  [[nodiscard]] constexpr bool empty() const noexcept { return first_ == nullptr; }
  // The first and the last element, or null.
  [[nodiscard]] constexpr T* front() const noexcept { return element(first_); }
  [[nodiscard]] constexpr T* back() const noexcept { return element(last_); }

  constexpr void push_back(T& x) noexcept {
    list_node* const n = node(x);
    PENSTOCK_ASSERT(!n->linked(), "the element is in a list already");
    n->next = nullptr;
    if (last_) {
      n->prev = last_;
      last_->next = n;
    } else {
      n->prev = n;
      first_ = n;
    }
    last_ = n;
  }
  constexpr void push_front(T& x) noexcept {
    list_node* const n = node(x);
    PENSTOCK_ASSERT(!n->linked(), "the element is in a list already");
    n->prev = n;
    n->next = first_;
    (first_ ? first_->prev : last_) = n;
    first_ = n;
  }
  // Takes the first element out; null: there is none.
  constexpr T* pop_front() noexcept {
    list_node* const n = first_;
    if (!n) return nullptr;
    first_ = n->next;
    if (first_) {
      first_->prev = first_;
    } else {
      last_ = nullptr;
    }
    n->prev = n->next = nullptr;
    return element(n);
  }
  // Takes `x`, which is in this list, out.
  constexpr void erase(T& x) noexcept {
    list_node* const n = node(x);
    PENSTOCK_ASSERT(n->linked(), "the element is in no list");
    list_node* const before = n == first_ ? nullptr : n->prev;
    (before ? before->next : first_) = n->next;
    if (n->next) {
      n->next->prev = before ? before : n->next;
    } else {
      last_ = before;
    }
    n->prev = n->next = nullptr;
  }
  // Appends all of `other`, which is empty afterwards.
  constexpr void splice(intrusive_list& other) noexcept {
    if (other.empty() || &other == this) return;
    if (last_) {
      last_->next = other.first_;
      other.first_->prev = last_;
    } else {
      first_ = other.first_;
    }
    last_ = other.last_;
    other.first_ = other.last_ = nullptr;
  }

  [[nodiscard]] constexpr iterator begin() const noexcept { return iterator(first_); }
  [[nodiscard]] constexpr iterator end() const noexcept { return iterator(nullptr); }

 private:
  static constexpr list_node* node(T& x) noexcept { return static_cast<Node*>(&x); }
  static constexpr T* element(list_node* n) noexcept {
    return static_cast<T*>(static_cast<Node*>(n));
  }

  list_node* first_ = nullptr;
  list_node* last_ = nullptr;
};

// Forward only; the element that it stands on must stay in the list.
template <class T, class Node>
class intrusive_list<T, Node>::iterator {
 public:
  using value_type = T;
  using difference_type = std::ptrdiff_t;
  using iterator_category = std::forward_iterator_tag;

  constexpr iterator() noexcept = default;
  constexpr T& operator*() const noexcept { return *element(at_); }
  constexpr T* operator->() const noexcept { return element(at_); }
  constexpr iterator& operator++() noexcept {
    at_ = at_->next;
    return *this;
  }
  constexpr iterator operator++(int) noexcept {
    iterator before = *this;
    ++*this;
    return before;
  }
  friend constexpr bool operator==(iterator, iterator) noexcept = default;

 private:
  friend intrusive_list;
  explicit constexpr iterator(list_node* n) noexcept : at_(n) {}
  list_node* at_ = nullptr;
};

}  // namespace penstock::detail
