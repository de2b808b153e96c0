// expect-problem: the bad half compiles
// expect-error: (undeclared|not declared)
#ifdef MUST_FAIL
int x = 2;
#else
int x = 1;
#endif
