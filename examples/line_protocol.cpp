// A protocol of lines: a small store that understands SET, GET and QUIT, and refuses lines that are
// too long. The same code serves TCP and UNIX sockets: anything that is a byte_stream.
// Run: line_protocol. Change first: longest_line.
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/runtime.hpp>

#include <array>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <string_view>

using namespace penstock;

constexpr std::size_t longest_line = 80;

// [lines]
// The lines of a stream, without their ends. What it has read and not yet given out is at most one
// line and a piece.
template <byte_stream Stream>
class line_reader {
 public:
  explicit line_reader(Stream& s) : stream_(&s) {}

  // Empty: the stream has ended. A line that is too long is an error.
  task<result<std::optional<std::string>>> next() {
    for (;;) {
      if (const auto end = rest_.find('\n'); end != std::string::npos) {
        std::string line = rest_.substr(0, end);
        rest_.erase(0, end + 1);
        co_return line;
      }
      if (rest_.size() > longest_line)
        co_return fail(errc::protocol_error, "read line", "too long");
      std::size_t n = co_await ok(stream_->read_some(piece_));
      if (n == 0) co_return std::nullopt;
      rest_.append(reinterpret_cast<const char*>(piece_.data()), n);
    }
  }

 private:
  Stream* stream_;
  std::string rest_;
  std::array<std::byte, 128> piece_;
};
// [/lines]

// [serve]
using store = std::map<std::string, std::string, std::less<>>;

std::string answer(store& values, std::string_view line) {
  const auto space = line.find(' ');
  const std::string_view verb = line.substr(0, space);
  std::string_view rest = space == line.npos ? "" : line.substr(space + 1);
  if (verb == "GET") {
    const auto found = values.find(rest);
    return found == values.end() ? "none\n" : found->second + '\n';
  }
  const auto equals = rest.find('=');
  if (verb != "SET" || equals == rest.npos) return "what?\n";
  values[std::string(rest.substr(0, equals))] = rest.substr(equals + 1);
  return "ok\n";
}

template <byte_stream Stream>
task<result<>> serve(Stream& peer, store& values) {
  line_reader lines(peer);
  while (auto line = co_await ok(lines.next())) {
    if (*line == "QUIT") break;
    const std::string reply = answer(values, *line);
    co_await ok(peer.write_all(std::as_bytes(std::span(reply))));
  }
  co_return {};
}
// [/serve]

template <byte_stream Stream>
task<result<>> converse(Stream& server, std::string_view text) {
  co_await ok(server.write_all(std::as_bytes(std::span(text))));
  line_reader lines(server);
  while (auto line = co_await ok(lines.next())) std::printf("%s\n", line->c_str());
  co_return {};
}

task<result<>> demonstrate() {
  store values;
  const std::string too_long(longest_line + 20, 'x');
  for (const std::string& text : {std::string("SET a=1\nGET a\nGET b\nQUIT\n"), too_long}) {
    auto ends = co_await ok(unix_stream::pair());
    auto& [ours, theirs] = ends;
    auto served = [&]() -> task<result<>> {
      auto outcome = co_await serve(theirs, values);
      if (!outcome) std::printf("%s\n", outcome.error().message().c_str());
      co_return co_await theirs.close();
    };
    auto both = co_await when_all(served(), converse(ours, text));
    if (!both) co_return fail(both.error());
  }
  co_return {};
}

int main() {
  runtime rt;
  auto outcome = rt.run(demonstrate());
  if (!outcome) std::printf("%s\n", outcome.error().message().c_str());
  return outcome ? 0 : 1;
}

// Output:
// ok
// 1
// none
// read line 'too long': protocol error
