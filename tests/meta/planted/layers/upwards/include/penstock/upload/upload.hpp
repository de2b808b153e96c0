#include <penstock/adapters/file.hpp>      // expect: direction
#include <penstock/io/file.hpp>            // expect: direction
#include <penstock/runtime/runtime.hpp>    // expect: direction
#include <penstock/core/task.hpp>
