// expect-problem: none
// expect-error: (undeclared|not declared)
#ifdef MUST_FAIL
int x = y;
#else
int x = 1;
#endif
