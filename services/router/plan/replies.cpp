#include "services/router/plan/replies.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string_view>

#include <fmt/format.h>

namespace vigia::router::plan {
namespace {

/// "7 more warning annotations omitted": Prometheus shows ten of either kind, whichever they are,
/// and says how many there are beyond.
bool is_count_of(std::string_view kind, std::string_view text) {
  const std::size_t number = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(number);
  return number > 0 && text == fmt::format(" more {} annotations omitted", kind);
}

/// What Prometheus says of the query, or of what the caller's own `limit` cut off, and not of a
/// store behind it.
bool is_remark(std::string_view text) {
  return text.starts_with("PromQL ") || text == "results truncated due to limit" ||
         is_count_of("warning", text) || is_count_of("info", text);
}

/// A store behind prometheus-query that fails shows as a warning beside an answer that is too
/// short.
bool is_incomplete(const wire::prometheus_api::Envelope& envelope) {
  return !std::all_of(envelope.warnings().begin(), envelope.warnings().end(), is_remark);
}

bool leaves_warnings_out(const wire::prometheus_api::Envelope& envelope) {
  const auto& texts = envelope.warnings();
  return std::any_of(texts.begin(), texts.end(),
                     [](std::string_view text) { return is_count_of("warning", text); });
}

/// Or, where such a store breaks off half-way, as a failed execution.
bool is_broken_off(const wire::prometheus_api::Envelope& envelope) {
  return envelope.error_type() == "execution" &&
         envelope.error().find("expanding series") != std::string::npos;
}

Reply reply_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kUnavailable:
      return Reply::kAway;
    case ErrorCode::kCorrupt:
      return Reply::kFaulty;
    case ErrorCode::kInternal:
      return Reply::kLost;
    default:
      return Reply::kFailed;
  }
}

}  // namespace

Reply reply_of(const Result<wire::prometheus_api::Envelope>& answer) {
  if (!answer) return reply_of(answer.error());
  const bool is_short = is_incomplete(*answer);
  if (!answer->is_success()) {
    return is_short || is_broken_off(*answer) ? Reply::kBrokenOff : Reply::kRefused;
  }
  if (is_short) return Reply::kShort;
  return leaves_warnings_out(*answer) ? Reply::kMaybeShort : Reply::kWhole;
}

std::vector<std::string> promql_remarks(const std::vector<std::string>& texts) {
  std::vector<std::string> remarks;
  std::copy_if(texts.begin(), texts.end(), std::back_inserter(remarks), is_remark);
  return remarks;
}

std::optional<access::QueryCost> cost_of(Result<wire::prometheus_api::Envelope>& answer, bool cut) {
  constexpr access::QueryCost kMost{std::numeric_limits<std::uint64_t>::max(), 0};
  if (!answer) {
    const bool was_much =
        answer.error().code == ErrorCode::kDeadline || answer.error().code == ErrorCode::kTooLarge;
    return was_much ? std::optional(kMost) : std::nullopt;
  }
  if (!answer->is_success()) {
    const bool was_much = answer->error().find("too many samples") != std::string::npos;
    return was_much ? std::optional(kMost) : std::nullopt;
  }
  const auto samples = answer->peak_samples(cut);
  if (!samples) return std::nullopt;
  return access::QueryCost{*samples, answer->data().size()};
}

}  // namespace vigia::router::plan
