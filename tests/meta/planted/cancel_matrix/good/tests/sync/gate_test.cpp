namespace {
template <class Operation>
void pass_matrix(Operation operation) {
  test::cancel_matrix([] { return gate(); }, operation);
}
}  // namespace

TEST_CASE("by a helper") {
  pass_matrix([](gate& g) { return g.wait(); });
  pass_matrix([](gate& g) { return both<gate&>(g); });
}

TEST_CASE("and without") {
  test::cancel_matrix([] { return gate(); }, [](gate& g) { return pass(g); });
}
