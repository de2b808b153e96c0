// expect-problem: has no line
#ifdef MUST_FAIL
int x = y;
#else
int x = 1;
#endif
