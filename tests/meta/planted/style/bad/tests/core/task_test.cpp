std::this_thread::sleep_for(1ms);         // expect: clock
usleep(3);                                // expect: clock
auto n = std::time(nullptr);              // expect: clock
std::cerr << 1;                           // expect: stderr
// TODO: more                              expect: unfinished
auto p = "/root/x";                      // expect: machine
