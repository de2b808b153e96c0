namespace penstock {
/// Said in prose only.
class gate {};  // expect: name

/// A file name is none.
class gated {};  // expect: name

enum class closing {
  now,
  later,  // expect: name
};
struct gate_stats {
  int waiting = 0;  // expect: name
};
namespace presets {
inline constexpr int one = 1;  // expect: name
}
using rate = int;  // expect: name
}  // namespace penstock
