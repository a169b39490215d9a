#include "services/router/plan/notes.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "services/router/request/times.hpp"

namespace vigia::router::plan {
namespace {

using request::format_time;

/// Nothing: not known since when. A store that holds only what is behind the range has no part of
/// it: then both ends are the range's own end, and never the other way round.
std::string span_text(std::optional<TimestampMs> from_ms, TimestampMs to_ms) {
  const std::string from = from_ms ? format_time(std::min(*from_ms, to_ms)) : "unknown";
  return fmt::format("{}/{}", from, format_time(to_ms));
}

std::string missing_cold(const std::optional<TimestampMs>& covered_from,
                         const std::optional<Error>& refusal) {
  const std::string why = reason_of_cold(refusal);
  if (!covered_from) {
    return fmt::format("cold part missing: {}, and it is not known what the hot store holds", why);
  }
  return fmt::format("cold part missing: {}, so samples before {} may be missing here", why,
                     format_time(*covered_from));
}

std::string missing_hot_member(const std::optional<TimestampMs>& covered_from) {
  constexpr std::string_view kWhy =
      "hot part may be incomplete: the other store of the pair, which may hold more, does not "
      "answer";
  if (!covered_from) return fmt::format("{}, and it is not known what this one holds", kWhy);
  return fmt::format("{}, so samples before {} may be missing here", kWhy,
                     format_time(*covered_from));
}

/// What of the answer's time is kept no more.
std::optional<std::string> expired(const Course& course) {
  const auto& kept = course.kept();
  if (!kept) return std::nullopt;
  const Step& step = course.step();
  if (step.thinned && step.thinned->is_approximate) {
    return fmt::format(
        "approximate: samples before {} have expired, and windows of {} are read instead",
        format_time((*kept)[Resolution::kRaw]), to_string(step.resolution));
  }
  const TimestampMs from_ms = course.question().touches->from_ms;
  if (!kept->has_expired(step.resolution, from_ms)) return std::nullopt;
  const std::string from = format_time((*kept)[step.resolution]);
  if (step.resolution != Resolution::kRaw) {
    return fmt::format("expired: windows of {} before {} are kept no more",
                       to_string(step.resolution), from);
  }
  return fmt::format(
      "expired: samples before {} are kept no more, and roll-ups cannot tell what is asked for",
      from);
}

}  // namespace

Notes notes_of_hot(const Course& course) {
  Notes notes;
  const auto& touches = course.question().touches;
  if (!touches) return notes;
  const auto& from = course.covered().from;
  const auto begin = from ? std::optional(std::max(touches->from_ms, *from)) : std::nullopt;
  notes.served = "hot=" + span_text(begin, touches->to_ms);
  if (holds_all(course.question(), course.covered())) return notes;
  // Hot was asked although it does not hold all. Why tells whether samples are missing that will be
  // there again, or whether there never were more.
  switch (course.step().standing) {
    case Standing::kHoldsMore:
      notes.warnings.push_back(fmt::format(
          "cold part missing: {}; samples before {} may be missing here",
          course.plan().worse_cold->text(), from ? format_time(*from) : "a time not known"));
      break;
    case Standing::kInstead:
      notes.warnings.push_back(missing_cold(from, course.refusal()));
      break;
    case Standing::kLesser:
      notes.warnings.push_back(missing_hot_member(from));
      break;
    case Standing::kAlone:
    case Standing::kHolds:
    case Standing::kLongTerm:
      notes.infos.emplace_back("there is no long-term store here: older samples do not exist");
      break;
  }
  return notes;
}

Notes notes_of_long_term(const Course& course, ColdState cold) {
  Notes notes;
  const auto& touches = course.question().touches;
  if (!touches) return notes;
  notes.served = fmt::format("cold:{}={}", to_string(course.step().resolution),
                             span_text(touches->from_ms, touches->to_ms));
  if (auto text = expired(course)) notes.warnings.push_back(std::move(*text));
  if (cold.lost) notes.warnings.push_back(std::move(*cold.lost));
  if (cold.replaced && cold.replaced->lacks(touches->from_ms)) {
    notes.warnings.push_back("cold part may be incomplete: " + cold.replaced->text());
  }
  if (!cold.gaps.empty()) notes.warnings.push_back(gaps_warning(cold.gaps));
  return notes;
}

std::string reason_of_cold(const std::optional<Error>& refusal) {
  if (!refusal) return "the long-term store does not answer";
  return fmt::format("the long-term store has refused this ({})", refusal->message);
}

std::string gaps_warning(std::string_view gaps) {
  if (gaps == "quarantine") {
    return "cold part may be incomplete: samples that it did not take are set aside, and the "
           "provider is told of them";
  }
  if (gaps == "peers") {
    return "cold part may be incomplete: a storage instance that may have samples of the last "
           "hours "
           "does not answer";
  }
  return "cold part may be incomplete: rows of damaged files are still being written anew";
}

void finish_notes(const wire::prometheus_api::Envelope& answer, Notes& notes) {
  for (std::string& remark : promql_remarks(answer.warnings())) {
    notes.warnings.push_back(std::move(remark));
  }
  for (std::string& remark : promql_remarks(answer.infos())) {
    notes.infos.push_back(std::move(remark));
  }
  if (!notes.served.empty()) notes.infos.push_back("served by " + notes.served);
}

}  // namespace vigia::router::plan
