// expect-problem: the message has \d+ lines
// expect-error: (undeclared|not declared)
#ifdef MUST_FAIL
int a = x, b = x;
int c = x1, d = x2, e = x3, f = x4, g = x5, h = x6, i = x7, j = x8;
int k = y1, l = y2, m = y3, n = y4, o = y5, p = y6, q = y7, r = y8;
#else
int x = 1;
#endif
