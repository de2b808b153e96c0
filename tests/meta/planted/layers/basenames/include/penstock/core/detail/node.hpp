// expect-at 0: basename
#include <cstddef>
