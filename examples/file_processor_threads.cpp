// What file_processor.cpp does, with threads: a pool of three, a queue with a bound, and by hand
// what a pipeline brings along: the first error stops all, and a file that fails leaves no output.
// Run: file_processor_threads. Compare it with file_processor.cpp.
#include <atomic>
#include <cctype>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

struct totals {
  std::atomic<int> files{0};
  std::atomic<unsigned long long> bytes{0};
};

class name_queue {
 public:
  explicit name_queue(std::size_t most) : most_(most) {}
  bool push(std::string name) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return closed_ || names_.size() < most_; });
    if (closed_) return false;
    names_.push_back(std::move(name));
    news_.notify_one();
    return true;
  }
  std::optional<std::string> pop() {
    std::unique_lock lock(mutex_);
    news_.wait(lock, [&] { return closed_ || !names_.empty(); });
    if (names_.empty()) return std::nullopt;
    std::string name = std::move(names_.front());
    names_.pop_front();
    room_.notify_one();
    return name;
  }
  void close(bool at_once) {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    if (at_once) names_.clear();
    news_.notify_all();
    room_.notify_all();
  }

 private:
  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable room_, news_;
  std::deque<std::string> names_;
  bool closed_ = false;
};

static bool process(const std::string& name, totals& t) {
  const std::string temporary = name + ".out.part";
  std::ifstream in(name, std::ios::binary);
  std::ofstream out(temporary, std::ios::binary);
  std::vector<char> chunk(65536);
  unsigned long long bytes = 0;
  while (in && out) {
    in.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    const std::streamsize n = in.gcount();
    for (std::streamsize i = 0; i < n; ++i) {
      auto& c = chunk[static_cast<std::size_t>(i)];
      c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    out.write(chunk.data(), n);
    bytes += static_cast<unsigned long long>(n);
  }
  out.close();  // not made durable: the standard library cannot
  const bool good = in.eof() && out && std::rename(temporary.c_str(), (name + ".out").c_str()) == 0;
  if (!good) std::remove(temporary.c_str());
  if (good) t.bytes += bytes;
  if (good) ++t.files;
  return good;
}

int main() {
  std::vector<std::string> names;
  for (int i = 0; i < 8; ++i) names.push_back("text-" + std::to_string(i));
  for (const auto& name : names) {
    std::ofstream out(name, std::ios::binary);
    for (int i = 0; i < 20'000; ++i) out << "some words in " << name << '\n';
  }

  totals t;
  name_queue queue(3);
  std::atomic<bool> failed{false};
  std::vector<std::thread> pool;
  for (int i = 0; i < 3; ++i) {
    pool.emplace_back([&] {
      while (auto name = queue.pop()) {
        if (process(*name, t)) continue;
        failed = true;
        queue.close(true);
      }
    });
  }
  for (const auto& name : names)
    if (!queue.push(name)) break;
  queue.close(false);
  for (auto& thread : pool) thread.join();
  if (failed) return 1;
  std::printf("%d files, %llu bytes\n", t.files.load(), t.bytes.load());
}

// Output:
// 8 files, 3360000 bytes
