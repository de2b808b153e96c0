// [use]
int x;
// [/use]
