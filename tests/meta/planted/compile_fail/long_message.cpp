// expect-problem: the message has \d+ lines
// expect-error: (undeclared|not declared)
#ifdef MUST_FAIL
int a = x, b = x;
int z1 = u1;
int z2 = u2;
int z3 = u3;
int z4 = u4;
int z5 = u5;
int z6 = u6;
int z7 = u7;
int z8 = u8;
int z9 = u9;
int z10 = u10;
int z11 = u11;
int z12 = u12;
int c = x1, d = x2, e = x3, f = x4, g = x5, h = x6, i = x7, j = x8;
int k = y1, l = y2, m = y3, n = y4, o = y5, p = y6, q = y7, r = y8;
#else
int x = 1;
#endif
