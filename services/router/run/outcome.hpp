// How a query ended.
#pragma once

#include <cstdint>
#include <optional>

#include "libs/base/result.hpp"
#include "libs/wire/prometheus_api/envelope.hpp"
#include "services/router/plan/notes.hpp"

namespace vigia::router::run {

/// How a query ended: an answer, which may be a refusal that tells the caller's own fault, or an
/// error as the caller sees it (see upstream::outward).
struct Outcome {
  Result<wire::prometheus_api::Envelope> answer;
  plan::Notes notes;
  /// That the store which answered held at once, where it has said.
  std::optional<std::uint64_t> samples = std::nullopt;
};

}  // namespace vigia::router::run
