// penstock/base/detail/error_detail.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What an `error` shares between its copies, and the members of `error` that look at it. Included
/// by error.hpp only.

#include <penstock/base/atomic.hpp>
#include <penstock/base/error.hpp>
#include <penstock/base/taken.hpp>

#include <cstdint>
#include <cstring>
#include <limits>
#include <new>

namespace penstock {
namespace detail {

// Something attached to an error. Notes form a list that only grows at its head, so that it can be
// shared; each owns a reference to the next.
struct error_note {
  atomic<std::uint32_t> references{1};
  error_note* next = nullptr;
  const void* key = nullptr;  // the address of note_key<T>
  void (*destroy)(error_note*) noexcept = nullptr;

  static void drop(error_note* n) noexcept {
    while (n && n->references.fetch_sub(1, memory_order_acq_rel) == 1) {
      error_note* const next = n->next;
      n->destroy(n);
      n = next;
    }
  }
};
template <class T>
struct typed_note final : error_note {
  explicit typed_note(T&& v) noexcept : value(std::move(v)) {}
  T value;
};
template <class T>
inline constexpr char note_key = 0;

// One allocation: the texts of operation and object follow the struct.
struct error_detail {
  atomic<std::uint32_t> references{1};
  std::uint32_t operation_size = 0;
  std::uint32_t object_size = 0;
  retry_stop why = retry_stop::none;
  bool has_retry_after = false;
  duration retry_after{};
  error_note* notes = nullptr;
  error cause;

  error_detail() noexcept = default;
  error_detail(const error_detail&) = delete;
  error_detail& operator=(const error_detail&) = delete;
  ~error_detail() { error_note::drop(notes); }

  [[nodiscard]] char* text() noexcept { return reinterpret_cast<char*>(this + 1); }
  [[nodiscard]] const char* text() const noexcept {
    return reinterpret_cast<const char*>(this + 1);
  }
  [[nodiscard]] std::string_view operation() const noexcept {
    return {text(), std::size_t{operation_size}};
  }
  [[nodiscard]] std::string_view object() const noexcept {
    return {text() + operation_size, std::size_t{object_size}};
  }

  // Null when memory is out.
  static error_detail* create(std::string_view operation, std::string_view object) noexcept {
    constexpr std::size_t longest = (std::numeric_limits<std::uint32_t>::max)() / 4;
    operation = operation.substr(0, longest);
    object = object.substr(0, longest);
    void* const p =
        ::operator new(sizeof(error_detail) + operation.size() + object.size(), std::nothrow);
    if (!p) return nullptr;
    auto* const d = ::new (p) error_detail;
    d->operation_size = static_cast<std::uint32_t>(operation.size());
    d->object_size = static_cast<std::uint32_t>(object.size());
    if (!operation.empty()) std::memcpy(d->text(), operation.data(), operation.size());
    if (!object.empty()) std::memcpy(d->text() + operation.size(), object.data(), object.size());
    return d;
  }
  static void destroy(error_detail* d) noexcept {
    d->~error_detail();
    ::operator delete(static_cast<void*>(d));
  }
  // All of `from` but its texts.
  void take_rest(const error_detail& from) noexcept {
    why = from.why;
    has_retry_after = from.has_retry_after;
    retry_after = from.retry_after;
    notes = from.notes;
    if (notes) notes->references.fetch_add(1, memory_order_relaxed);
    cause = from.cause;
  }

  static const error_detail* of(const error& e) noexcept { return e.detail_; }
  static error_detail* release(error& e) noexcept { return detail::taken(e.detail_); }
};

// By characters: each append and += of a string is a template, instantiated for every length of
// literal, and a program pays for that wherever it includes this.
inline void add_text(std::string& out, std::string_view text) {
  for (const char c : text) out.push_back(c);
}
PENSTOCK_NOINLINE inline void append_sentence(std::string& out, const error& whole) {
  const error* e = &whole;
  for (;;) {
    const error_detail* const d = error_detail::of(*e);
    if (d && d->operation_size) {
      add_text(out, d->operation());
      if (d->object_size) {
        add_text(out, " '");
        for (const char c : d->object())  // one line
          out.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c);
        out.push_back('\'');
      }
      add_text(out, ": ");
    }
    const error* const cause = d && d->cause.code() ? &d->cause : nullptr;
    if (!cause || cause->code() != e->code()) out += e->code().message();
    if (!cause) break;
    if (cause->code() != e->code()) add_text(out, ": ");
    e = cause;
  }
  switch (whole.why()) {
    case retry_stop::none:
      break;
    case retry_stop::attempts:
      add_text(out, ", no attempts left");
      break;
    case retry_stop::budget:
      add_text(out, ", the retry budget is used up");
      break;
    case retry_stop::deadline:
      add_text(out, ", no time left for another attempt");
      break;
    case retry_stop::non_retryable:
      add_text(out, ", not worth another attempt");
      break;
    case retry_stop::canceled:
      add_text(out, ", canceled before another attempt");
      break;
    case retry_stop::pushback:
      add_text(out, ", the server asked not to be tried again");
      break;
  }
}

}  // namespace detail

inline void error::retain(detail::error_detail& d) noexcept {
  d.references.fetch_add(1, detail::memory_order_relaxed);
}

// A loop: a long chain of causes must not recurse.
PENSTOCK_NOINLINE inline void error::drop(detail::error_detail* d) noexcept {
  while (d && d->references.fetch_sub(1, detail::memory_order_acq_rel) == 1) {
    auto* const cause = detail::error_detail::release(d->cause);
    detail::error_detail::destroy(d);
    d = cause;
  }
}

inline detail::error_detail* error::own() noexcept {
  if (detail_ && detail_->references.load(detail::memory_order_acquire) == 1) return detail_;
  auto* const fresh = detail_
                          ? detail::error_detail::create(detail_->operation(), detail_->object())
                          : detail::error_detail::create({}, {});
  if (!fresh) return nullptr;
  if (detail_) {
    fresh->take_rest(*detail_);
    drop(detail_);
  }
  return detail_ = fresh;
}

inline const detail::error_detail* error::next(const detail::error_detail& d) const noexcept {
  return d.cause.code_ == code_ ? d.cause.detail_ : nullptr;
}

inline std::string_view error::operation() const noexcept {
  return detail_ ? detail_->operation() : std::string_view();
}
inline std::string_view error::object() const noexcept {
  return detail_ ? detail_->object() : std::string_view();
}
inline error error::cause() const noexcept { return detail_ ? detail_->cause : error(); }
template <class Duration>
std::optional<Duration> error::retry_after() const noexcept {
  for (const auto* d = detail_; d; d = next(*d)) {
    if (d->has_retry_after) return d->retry_after;
  }
  return std::nullopt;
}
inline retry_stop error::why() const noexcept {
  for (const auto* d = detail_; d; d = next(*d)) {
    if (d->why != retry_stop::none) return d->why;
  }
  return retry_stop::none;
}
inline std::string error::message() const {
  std::string out;
  detail::append_sentence(out, *this);
  return out;
}

PENSTOCK_NOINLINE inline error error::with(std::string_view operation,
                                           std::string_view object) && noexcept {
  auto* const fresh = detail::error_detail::create(operation, object);
  if (!fresh) return std::move(*this);
  error named(code_);
  named.detail_ = fresh;
  if (detail_ && detail_->operation_size) {
    fresh->cause = std::move(*this);
  } else if (detail_) {
    fresh->take_rest(*detail_);
  }
  return named;
}
inline error error::caused_by(error cause) && noexcept {
  if (auto* const d = own()) {
    if (d->cause.code_) {
      d->cause = std::move(d->cause).caused_by(std::move(cause));
    } else {
      d->cause = std::move(cause);
    }
  }
  return std::move(*this);
}
inline error error::retry_after(duration after) && noexcept {
  if (auto* const d = own()) {
    d->has_retry_after = true;
    d->retry_after = after;
  }
  return std::move(*this);
}
inline error error::stopped_because(retry_stop why) && noexcept {
  if (auto* const d = own()) d->why = why;
  return std::move(*this);
}
template <class T>
requires std::is_nothrow_move_constructible_v<T> error error::attach(T value) && noexcept {
  auto* const d = own();
  auto* const note = d ? new (std::nothrow) detail::typed_note<T>(std::move(value)) : nullptr;
  if (note) {
    note->key = &detail::note_key<T>;
    note->destroy = [](detail::error_note* n) noexcept {
      delete static_cast<detail::typed_note<T>*>(n);
    };
    note->next = d->notes;
    d->notes = note;
  }
  return std::move(*this);
}
template <class T>
const T* error::attached() const noexcept {
  for (const auto* d = detail_; d; d = next(*d)) {
    for (const detail::error_note* n = d->notes; n; n = n->next) {
      if (n->key == &detail::note_key<T>)
        return &static_cast<const detail::typed_note<T>*>(n)->value;
    }
  }
  return nullptr;
}

}  // namespace penstock
