#include <zlib.h>
#include <zstd.h>  // expect: third-party
