#include <penstock/adapters/zlib/inflate.hpp>
