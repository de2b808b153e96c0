namespace penstock {}
// expect-at 0: cost, it has no row
