// expect-problem: has no '#ifdef MUST_FAIL'
// expect-error: (undeclared|not declared)
int x = y;
