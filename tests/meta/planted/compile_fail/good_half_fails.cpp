// expect-problem: the good half does not compile
// expect-error: (undeclared|not declared)
#ifdef MUST_FAIL
int x = y;
#else
int x = z;
#endif
