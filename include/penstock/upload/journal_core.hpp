// penstock/upload/journal_core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The text of an upload's journal: one record a line, each with its own checksum, appended only.
/// Whatever byte it is cut at, what is left is a shorter journal or none.
///
///     4f1c2a90 upload 1 SIZE MTIME CTIME INODE PART_SIZE COUNT ID NAME
///     0b7e11d3 part INDEX SIZE CRC32C

#include <penstock/base/checksum.hpp>
#include <penstock/upload/upload_concepts.hpp>

#include <charconv>
#include <optional>

namespace penstock::detail {

struct journal_state {
  source_identity source;
  part_plan plan;
  std::string id;
  std::string name;
  std::vector<std::optional<part_receipt>> parts;
  std::uint64_t valid_bytes = 0;  // behind these comes nothing usable
};

// A word without spaces and line ends.
inline std::string journal_word(std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  std::string word;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (u <= 0x20 || u == '%' || u == 0x7f) {
      word += '%';
      word += digits[u >> 4];
      word += digits[u & 15];
    } else {
      word += c;
    }
  }
  return word;
}

// What journal_word() was made of.
inline std::string journal_text(std::string_view word) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string text;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '%' && i + 2 < word.size()) {
      text += static_cast<char>(digit(word[i + 1]) * 16 + digit(word[i + 2]));
      i += 2;
    } else {
      text += word[i];
    }
  }
  return text;
}

inline std::string journal_line(const std::string& payload) {
  char sum[9] = "00000000";
  std::uint32_t crc = penstock::crc32c(std::string_view(payload));
  for (int i = 7; i >= 0; --i, crc >>= 4) sum[i] = "0123456789abcdef"[crc & 15];
  return std::string(sum, 8) + ' ' + payload + '\n';
}

inline std::string encode_header(const source_identity& s, const part_plan& p, std::string_view id,
                                 std::string_view name) {
  std::string text = "upload 1";
  for (const std::string& number :
       {std::to_string(s.size), std::to_string(s.mtime_ns), std::to_string(s.ctime_ns),
        std::to_string(s.inode), std::to_string(p.part_size), std::to_string(p.count)}) {
    text += ' ';
    text += number;
  }
  return journal_line(text + ' ' + journal_word(id) + ' ' + journal_word(name));
}
inline std::string encode_part(const part_receipt& r) {
  return journal_line("part " + std::to_string(r.index) + ' ' + std::to_string(r.size) + ' ' +
                      std::to_string(r.crc32c));
}

class journal_words {
 public:
  explicit journal_words(std::string_view text) noexcept : rest_(text) {}
  std::string_view word() noexcept {
    const auto end = rest_.find(' ');
    const auto w = rest_.substr(0, end);
    rest_ = end == rest_.npos ? std::string_view() : rest_.substr(end + 1);
    return w;
  }
  template <class Int>
  bool number(Int& to) noexcept {
    const auto w = word();
    const auto [end, ec] = std::from_chars(w.data(), w.data() + w.size(), to);
    return ec == std::errc() && end == w.data() + w.size() && !w.empty();
  }

 private:
  std::string_view rest_;
};

// The payload of the line at the start of `text`, or nothing when it is not whole and right.
inline std::optional<std::string_view> journal_payload(std::string_view line) {
  if (line.size() < 10 || line[8] != ' ') return std::nullopt;
  const auto payload = line.substr(9);
  if (journal_line(std::string(payload)).substr(0, 8) != line.substr(0, 8)) return std::nullopt;
  return payload;
}

// Reads part records of `text` from `at` on into state.parts; returns where the valid ones end.
inline std::uint64_t parse_parts(std::string_view text, std::uint64_t at, journal_state& state) {
  for (;;) {
    const auto end = text.find('\n', at);
    if (end == text.npos) return at;
    const auto payload = journal_payload(text.substr(at, end - at));
    if (!payload) return at;
    journal_words words(*payload);
    part_receipt r;
    if (words.word() != "part" || !words.number(r.index) || !words.number(r.size) ||
        !words.number(r.crc32c) || r.index >= state.plan.count ||
        r.size != state.plan.part(r.index).size) {
      return at;
    }
    state.parts[r.index] = r;
    at = end + 1;
  }
}

// Whether `text` is nothing or the beginning of a journal, wherever it was cut. Any other file is
// somebody else's.
inline bool begins_journal(std::string_view text) noexcept {
  constexpr std::string_view hex = "0123456789abcdef", word = " upload ";
  const auto sum = text.substr(0, 8);
  if (sum.find_first_not_of(hex) != sum.npos) return false;
  const auto rest = text.substr(sum.size(), word.size());
  return rest == word.substr(0, rest.size());
}

// Nothing: the text has no usable header, the upload starts over.
inline std::optional<journal_state> parse_journal(std::string_view text) {
  const auto end = text.find('\n');
  if (end == text.npos) return std::nullopt;
  const auto payload = journal_payload(text.substr(0, end));
  if (!payload) return std::nullopt;
  journal_words words(*payload);
  journal_state s;
  int version = 0;
  if (words.word() != "upload" || !words.number(version) || version != 1 ||
      !words.number(s.source.size) || !words.number(s.source.mtime_ns) ||
      !words.number(s.source.ctime_ns) || !words.number(s.source.inode) ||
      !words.number(s.plan.part_size) || !words.number(s.plan.count)) {
    return std::nullopt;
  }
  s.plan.length = s.source.size;
  s.id = journal_text(words.word());
  s.name = journal_text(words.word());
  const auto same = plan_parts(s.plan.length, s.plan.part_size);
  if (!same || *same != s.plan || s.id.empty()) return std::nullopt;
  s.parts.resize(s.plan.count);
  s.valid_bytes = parse_parts(text, end + 1, s);
  return s;
}

}  // namespace penstock::detail
