namespace penstock {
/// Waits.
class gate {
 public:
  class wait_awaiter;
  wait_awaiter wait();  // expect: matrix
  bool is_open() const;  // followed by what is no business of its own

 private:
  friend wait_awaiter;
};
class gate::wait_awaiter : public detail::primitive_leaf<wait_awaiter> {};
/// Opens two.
template <class A>
[[nodiscard]] auto both(A&& a) {
  return detail::both_awaiter<A>(a);
}
task<> pass(gate& g);  // expect: matrix
}  // namespace penstock
// expect-at 14: matrix
