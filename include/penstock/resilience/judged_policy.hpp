// penstock/resilience/judged_policy.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A policy that is told by a classifier of one's own how its calls ended.

#include <penstock/resilience/call_outcome.hpp>
#include <penstock/resilience/detail/admitted_call.hpp>
#include <penstock/resilience/policy.hpp>

#include <utility>

namespace penstock {

/// What `judged_by(classifier)` of a policy gives: the same object, with that classifier.
template <class Gate, outcome_classifier F>
class judged_policy : public policy_base<judged_policy<Gate, F>> {
 public:
  judged_policy(Gate gate, F judge) : gate_(std::move(gate)), judge_(std::move(judge)) {}

  /// For `policy_base`.
  template <policy_operation Fn>
  [[nodiscard]] auto run(Fn fn) const {
    return detail::admitted_call(gate_, judge_, std::move(fn));
  }

 private:
  Gate gate_;
  F judge_;
};

}  // namespace penstock
