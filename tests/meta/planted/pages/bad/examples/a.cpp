// [body]
int x = 1;
// [/body]
