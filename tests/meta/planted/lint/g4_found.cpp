task<> captures(std::shared_ptr<int> p, tracked t) {
  std::string name = "x";
  co_await run([p] { return *p; });                                              // expect: G4
  co_await offload([c = std::move(t)] { return c.v; });                          // expect: G4
  co_await wrap(retry, std::function<int()>([=] { return *p; }));                // expect: G4
  int l = co_await [name]() -> task<int> { co_return 1; }();                     // expect: G4
  co_await with_group(group_options{}, [&, name](task_group& g) -> task<> {      // expect: G4
    co_await run([t]() mutable { return t.v; });                                 // expect: G4
    co_return;
  });
  co_yield run([*this] { return v; });                                           // expect: G4
}
