namespace penstock {
/// How it closes.
enum class closing : unsigned char { now, later = 7 };
/// Options of `gate`.
struct gate_options {
  int permits = 1;

 private:
  int hidden = 0;
};
result<> validate(const gate_options& o);
/// A gate; members other than of options may be on no page.
class gate {
 public:
  bool is_open() const;
};
inline bool gate::is_open() const { return true; }
/// Opens two.
task<> both(gate& a, gate& b);
gate operator|(gate a, gate b);
namespace detail {
class not_public {};
}  // namespace detail
}  // namespace penstock

struct std::hash<penstock::gate> {};
