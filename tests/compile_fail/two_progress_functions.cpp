// tests/compile_fail/two_progress_functions.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: upload takes one progress function
#include <penstock/adapters/file.hpp>
#include <penstock/upload.hpp>

using namespace penstock;

task<result<upload_report>> send(file& in, directory_target& target) {
  auto show = [](const upload_progress&) {};
#ifdef MUST_FAIL
  return upload(in, target, "film", on_progress(show), on_progress(show));
#else
  return upload(in, target, "film", on_progress(show));
#endif
}
