#include <penstock/adapters/file/file_tier.hpp>
