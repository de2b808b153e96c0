// SPDX-License-Identifier: BSL-1.0
// A pipeline of ten operators, put together with |, or with -DNESTED by nested calls: compiled by
// compile.ten_stages, and never run.
#include <penstock/core/task.hpp>
#include <penstock/stream.hpp>

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

using namespace penstock;

namespace {
#ifdef NESTED
template <class Up, class Stage>
auto over(Up&& up, Stage&& stage) {
  return std::forward<Stage>(stage).over(std::forward<Up>(up));
}
#endif
task<long> look_up(long x) { co_return x + 1; }
}  // namespace

task<result<long>> ten_stages(std::vector<long> numbers) {
  auto mix = map([](long x) { return x * 31; });
  auto odd = filter([](long x) { return x % 2 != 0; });
  auto sums = scan(0L, [](long s, long x) { return s + x; });
  auto ask = map(look_up);
  auto some = skip(2);
  auto looked = tap([](long) {});
  auto ask_many = map_concurrent(8, look_up);
  auto changes = distinct_until_changed();
  auto pieces = chunk(10);
  auto sizes = map([](const std::vector<long>& v) { return static_cast<long>(v.size()); });
  auto total = fold(0L, [](long s, long x) { return s + x; });
#ifdef NESTED
  auto all = over(over(over(over(over(over(over(over(over(over(over(from(numbers), std::move(mix)),
                                                               std::move(odd)),
                                                          std::move(sums)),
                                                     std::move(ask)),
                                                std::move(some)),
                                           std::move(looked)),
                                      std::move(ask_many)),
                                 std::move(changes)),
                            std::move(pieces)),
                       std::move(sizes)),
                  std::move(total));
#else
  auto all = from(numbers) | std::move(mix) | std::move(odd) | std::move(sums) | std::move(ask) |
             std::move(some) | std::move(looked) | std::move(ask_many) | std::move(changes) |
             std::move(pieces) | std::move(sizes) | std::move(total);
#endif
  co_return co_await std::move(all);
}
