TEST_CASE("twice() emits twice") {
  CHECK(doubled("-a-b-|") == "-aabb-|");
  CHECK(doubled("-ab-|") == "-(aa)-(bb)-|");
}
