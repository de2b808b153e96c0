namespace penstock::detail {
template <class A>
class both_awaiter : public leaf<both_awaiter<A>> {};
}  // namespace penstock::detail
