#include "services/router/plan/replies.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "services/router/plan/shown_text.hpp"

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

/// The error of an HTTP status by which a store says that it was asked for too much or wrongly.
/// 401, 403 and 404 are the provider's fault, and no caller can do anything about them.
std::optional<ErrorCode> refusal_code(std::string_view status) {
  if (status == "400" || status == "422") return ErrorCode::kInvalid;
  if (status == "413") return ErrorCode::kTooLarge;
  if (status == "429") return ErrorCode::kOverLimit;
  return std::nullopt;
}

/// "remote_read: remote server http://10.0.0.1:9096/api/v1/read returned HTTP status 429 Too Many
/// Requests: the query matches more than 100000 series; narrow it", as a Prometheus tells of a
/// store that it reads. The words of 2.x and 3.x differ in their case alone.
std::optional<Error> refusal_in(std::string_view text) {
  constexpr std::array<std::string_view, 2> kMarks{"returned HTTP status ",
                                                   "returned http status "};
  constexpr std::size_t kStatusDigits = 3;
  for (const std::string_view mark : kMarks) {
    const std::size_t at = text.find(mark);
    if (at == std::string_view::npos) continue;
    std::string_view rest = text.substr(at + mark.size());
    const auto code = refusal_code(rest.substr(0, kStatusDigits));
    const std::size_t words = rest.find(": ");
    if (!code || words == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(words + 2);
    // A proxy's page, or another program than the one that is meant to be there.
    if (rest.empty() || rest.find_first_of("<{\n") != std::string_view::npos) return std::nullopt;
    if (may_show_address(rest)) return std::nullopt;
    return Error{*code, std::string(rest)};
  }
  return std::nullopt;
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

std::optional<Error> refusal_of(const Result<wire::prometheus_api::Envelope>& answer) {
  if (!answer) {
    switch (answer.error().code) {
      case ErrorCode::kInvalid:
      case ErrorCode::kTooLarge:
      case ErrorCode::kOverLimit:
      case ErrorCode::kDeadline:
        return answer.error();
      default:
        return std::nullopt;
    }
  }
  for (const std::string& warning : answer->warnings()) {
    if (auto refused = refusal_in(warning)) return refused;
  }
  if (answer->is_success()) return std::nullopt;
  if (is_broken_off(*answer)) return refusal_in(answer->error());
  if (may_show_address(answer->error())) return std::nullopt;
  return Error{ErrorCode::kInvalid, answer->error()};
}

std::vector<std::string> promql_remarks(const std::vector<std::string>& texts) {
  std::vector<std::string> remarks;
  std::copy_if(texts.begin(), texts.end(), std::back_inserter(remarks), is_remark);
  return remarks;
}

std::optional<access::QueryCost> cost_of(Result<wire::prometheus_api::Envelope>& answer, bool cut) {
  constexpr access::QueryCost kMost{access::QueryCost::kUnknownSamples, 0};
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
  return access::QueryCost{*samples, answer->data_size()};
}

}  // namespace vigia::router::plan
