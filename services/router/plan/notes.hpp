// What is said beside an answer: who served it, and what may be missing in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/wire/prometheus_api/envelope.hpp"
#include "services/router/coverage/cold_replacement.hpp"
#include "services/router/plan/course.hpp"

namespace vigia::router::plan {

struct Notes {
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
  std::string served;  ///< value of X-Vigia-Served; empty: no header
};

/// Of an answer of hot, which the course stands at.
Notes notes_of_hot(const Course& course);

/// What is known of the long-term store when its answer is there.
struct ColdState {
  std::optional<std::string> lost;  ///< what a collector lost on the way to it, in words
  std::optional<coverage::ColdReplacement> replaced;
  std::string gaps;  ///< what storage says that it lacks for now
};
/// Of an answer of the long-term store, which the course stands at. Nothing where the query touches
/// nothing.
Notes notes_of_long_term(const Course& course, ColdState cold);

/// Why the long-term store has no part in an answer, in words: what it refused, else that it does
/// not answer.
std::string reason_of_cold(const std::optional<Error>& refusal);

/// The warning of ColdState::gaps, for who learns of it later.
std::string gaps_warning(std::string_view gaps);

/// Adds what PromQL itself remarked in the answer, and who served it: the last thing that is done.
void finish_notes(const wire::prometheus_api::Envelope& answer, Notes& notes);

}  // namespace vigia::router::plan
