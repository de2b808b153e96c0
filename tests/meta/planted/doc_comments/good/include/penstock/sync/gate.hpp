namespace penstock {
namespace detail {
class gate_awaiter {};
task<int> hidden();
}  // namespace detail

/// How it closes.
enum class closing { now, later };

/// Options of `gate`.
struct gate_options {
  int permits = 1;
};
result<> validate(const gate_options& o);

/// Lets tasks pass while it is open.
///
/// **Shape.** closed -> open.
/// **Suspends.** while it is closed.
/// **Cancellation.** nothing is lost.
/// **Thread-safety.** safe.
/// **Lifetime.** outlives its waiters.
/// **When not to use.** for counts.
/// **Example.** @snippet a.cpp use
class [[nodiscard("a gate")]] gate : detail::base<int> {
 public:
  explicit gate(gate_options o = {}) noexcept(false) : options_{o}, more_(1) {}
  ~gate();
  /// Waits until it is open.
  [[nodiscard]] detail::gate_awaiter wait() { return {}; }
  detail::gate_awaiter wait(int n);
  bool is_open() const;
  gate& operator=(const gate&) = delete;

 private:
  task<> secret();
  struct inner {};
};

inline detail::gate_awaiter gate::wait(int) { return {}; }

/// Opens two.
/// **Suspends.** never.
/// **Cancellation.** none.
template <class T, int N = (3 > 2)>
  requires(std::is_same_v<T, int> || requires(T t) { t.x; }) && some_concept<T>
[[nodiscard]] inline auto both(T&& t) -> task<result<T>>;
template <class T>
task<> both(T* t);
/// The same later: any time.
task<> both_later();

template <class T>
inline constexpr bool is_gate_v = std::is_same_v<T, gate>;

/// Adds.
constexpr int(max)(int a, int b) { return a < b ? b : a; }

template <class T>
gate(T) -> gate<T>;
bool operator==(gate, gate);
}  // namespace penstock

template <>
struct std::hash<penstock::gate> {};
