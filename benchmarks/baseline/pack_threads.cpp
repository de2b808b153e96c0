// SPDX-License-Identifier: BSL-1.0
// A file is read in chunks, each compressed by a pool of threads, and written in order: a reader, a
// bounded queue, workers, a bounded ring that restores the order, and the writer.
//
//   pack_threads SOURCE TARGET [--threads N] [--chunk BYTES]
//
// Prints: RESULT bytes=N seconds=S mb_per_s=M cpu_seconds=C peak_rss_mib=R
#include "../support/program_report.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

struct options {
  std::string source, target;
  std::size_t threads = 2;
  std::size_t chunk = 64 * 1024;
};

[[noreturn]] void fail(const char* what, const std::string& object) {
  std::fprintf(stderr, "pack_threads: %s %s: %s\n", what, object.c_str(), std::strerror(errno));
  std::exit(1);
}

using bytes = std::vector<char>;
struct work {
  std::size_t number = 0;
  bytes data;
};

// Chunks on their way to the workers.
class queue {
 public:
  explicit queue(std::size_t most) : most_(most) {}
  void push(work w) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return waiting_.size() < most_; });
    waiting_.push_back(std::move(w));
    news_.notify_one();
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    news_.notify_all();
  }
  std::optional<work> pop() {
    std::unique_lock lock(mutex_);
    news_.wait(lock, [&] { return closed_ || !waiting_.empty(); });
    if (waiting_.empty()) return std::nullopt;
    work w = std::move(waiting_.front());
    waiting_.pop_front();
    room_.notify_one();
    return w;
  }

 private:
  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable room_, news_;
  std::deque<work> waiting_;
  bool closed_ = false;
};

// What is compressed, until it is its turn.
class ring {
 public:
  explicit ring(std::size_t size) : places_(size) {}
  void put(work w) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return w.number < next_ + places_.size(); });
    places_[w.number % places_.size()] = std::move(w.data);
    if (w.number == next_) news_.notify_one();
  }
  void end(std::size_t count) {
    const std::lock_guard lock(mutex_);
    end_ = count;
    news_.notify_one();
  }
  std::optional<bytes> take() {
    std::unique_lock lock(mutex_);
    auto& place = places_[next_ % places_.size()];
    news_.wait(lock, [&] { return next_ == end_ || place.has_value(); });
    if (next_ == end_) return std::nullopt;
    std::optional<bytes> taken = std::exchange(place, std::nullopt);
    ++next_;
    room_.notify_all();
    return taken;
  }

 private:
  std::mutex mutex_;
  std::condition_variable room_, news_;
  std::vector<std::optional<bytes>> places_;
  std::size_t next_ = 0;
  std::size_t end_ = static_cast<std::size_t>(-1);
};

void compress_all(queue& from, ring& to) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  while (auto w = from.pop()) {
    bytes packed(ZSTD_compressBound(w->data.size()));
    const std::size_t n =
        ZSTD_compressCCtx(context, packed.data(), packed.size(), w->data.data(), w->data.size(), 3);
    if (ZSTD_isError(n)) fail("compress", "a chunk");
    packed.resize(n);
    to.put({w->number, std::move(packed)});
  }
  ZSTD_freeCCtx(context);
}

std::size_t pack(const options& o) {
  const int in = ::open(o.source.c_str(), O_RDONLY | O_CLOEXEC);
  if (in < 0) fail("open", o.source);
  const std::string temporary = o.target + ".part";
  const int out = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (out < 0) fail("open", temporary);
  queue waiting(o.threads);
  ring done(2 * o.threads);
  std::size_t read = 0;
  std::thread reader([&] {
    std::size_t number = 0;
    for (;; ++number) {
      bytes data(o.chunk);
      std::size_t got = 0;
      while (got < data.size()) {
        const ssize_t n = ::read(in, data.data() + got, data.size() - got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) fail("read", o.source);
        if (n == 0) break;
        got += static_cast<std::size_t>(n);
      }
      if (got == 0) break;
      data.resize(got);
      read += got;
      waiting.push({number, std::move(data)});
    }
    waiting.close();
    done.end(number);
  });
  std::vector<std::thread> workers;
  for (std::size_t i = 0; i < o.threads; ++i)
    workers.emplace_back([&] { compress_all(waiting, done); });
  while (auto packed = done.take()) {
    for (std::size_t at = 0; at < packed->size();) {
      const ssize_t n = ::write(out, packed->data() + at, packed->size() - at);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail("write", temporary);
      at += static_cast<std::size_t>(n);
    }
  }
  reader.join();
  for (auto& w : workers) w.join();
  if (::fsync(out) != 0 || ::close(out) != 0) fail("close", temporary);
  if (::rename(temporary.c_str(), o.target.c_str()) != 0) fail("rename", o.target);
  ::close(in);
  return read;
}

}  // namespace

int main(int argc, char** argv) {
  options o;
  if (argc < 3) return 2;
  o.source = argv[1];
  o.target = argv[2];
  for (int i = 3; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    const auto value = static_cast<std::size_t>(std::atoll(argv[i + 1]));
    if (option == "--threads") o.threads = value;
    if (option == "--chunk") o.chunk = value;
  }
  const bench::program_report report;
  report.print(pack(o));
}
