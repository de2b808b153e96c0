TEST_CASE("named, but in no case of the matrix") {
  gate g;
  g.wait();
  both(g);
}

TEST_CASE("the matrix of something else") {
  test::cancel_matrix([] { return gate(); }, [](gate& g) { return sleep_for(1ms); });
  // pass and wait are not called here
}
