int main() {
  // [body]
  int x = 1;

  // [inner]
  if (x) return 2;
  // [/inner]
  // [/body]
}
