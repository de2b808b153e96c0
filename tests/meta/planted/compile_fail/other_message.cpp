// expect-problem: no line of the message matches
// expect-error: (undeclared|not declared)
#ifdef MUST_FAIL
int x = "text";
#else
int x = 1;
#endif
