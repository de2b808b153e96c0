#include <penstock/upload/upload.hpp>
