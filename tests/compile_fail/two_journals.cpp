// tests/compile_fail/two_journals.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: upload takes one journal
#include <penstock/adapters/file.hpp>
#include <penstock/upload.hpp>

using namespace penstock;

task<result<upload_report>> send(file& in, directory_target& target) {
#ifdef MUST_FAIL
  return upload(in, target, "film", resume_from("a"), resume_from("b"));
#else
  return upload(in, target, "film", resume_from("a"));
#endif
}
