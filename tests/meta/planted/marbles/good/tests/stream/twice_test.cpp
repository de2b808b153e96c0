TEST_CASE("twice() emits twice") {
  CHECK(doubled("-a-b-|") == "-(aa)-(bb)-|");
  CHECK(ended([] { return source("ab|") | twice(')'); }) ==  // a "text" (in a comment
        "a-a-b-b-|");
}
