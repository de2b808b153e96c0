#include <model/atomic.hpp>
#include <model/model_test.hpp>
#include <support/seeds.hpp>
#include <penstock/resilience/detail/shared_gcra.hpp>
#include <mutex>
namespace unity_0 {
#include "/tmp/h/res-limiter/tests/model/model_limiter_test.cpp"
}
