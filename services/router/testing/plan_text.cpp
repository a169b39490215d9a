#include "services/router/testing/plan_text.hpp"

#include <fmt/format.h>

namespace vigia::router::testing {
namespace {

std::string place_of(const plan::Step& step) {
  if (step.store == plan::Store::kLongTerm) return "long-term";
  switch (step.standing) {
    case plan::Standing::kHolds:
      return "hot:holds";
    case plan::Standing::kAlone:
      return "hot:alone";
    case plan::Standing::kLesser:
      return "hot:lesser";
    case plan::Standing::kHoldsMore:
      return "hot:more";
    case plan::Standing::kInstead:
      return "hot:instead";
    case plan::Standing::kLongTerm:
      break;
  }
  return "hot:?";
}

}  // namespace

std::string text_of(const plan::Step& step) {
  std::string text = place_of(step);
  if (step.member != 0) text += fmt::format("#{}", step.member);
  if (step.resolution != Resolution::kRaw) text += fmt::format("@{}", to_string(step.resolution));
  return text;
}

std::string text_of(const plan::QueryPlan& plan) {
  std::string text;
  for (const plan::Step& step : plan.steps) text += (text.empty() ? "" : " ") + text_of(step);
  return text;
}

std::string text_of(plan::Verdict verdict) {
  switch (verdict) {
    case plan::Verdict::kDone:
      return "done";
    case plan::Verdict::kRefuse:
      return "refuse";
    case plan::Verdict::kNext:
      return "next";
    case plan::Verdict::kLookAgain:
      return "look again";
    case plan::Verdict::kFail:
      return "fail";
  }
  return "?";
}

}  // namespace vigia::router::testing
