#include "services/collector/intake/checked.hpp"

#include <fmt/format.h>

#include "services/collector/intake/limits.hpp"

namespace vigia::collector::intake {
namespace {

std::string_view items_name(Signal signal) {
  switch (signal) {
    case Signal::kMetrics:
      return "data points";
    case Signal::kTraces:
      return "spans";
    case Signal::kLogs:
      return "log records";
  }
  return "items";
}

std::string_view item_name(Signal signal) {
  switch (signal) {
    case Signal::kMetrics:
      return "data point";
    case Signal::kTraces:
      return "span";
    case Signal::kLogs:
      return "log record";
  }
  return "item";
}

std::string_view explain(RejectReason reason) {
  switch (reason) {
    case RejectReason::kForeign:
      return "resource attribute customer.id names another customer than the token";
    case RejectReason::kNoCustomer:
      return "resource attribute customer.id is missing";
    case RejectReason::kReserved:
      return "name or job is reserved for the provider";
    case RejectReason::kOverLimit:
      return "over the customer's active_series; a series counts one for each KiB of its labels, "
             "for up to "
             "three hours after its last sample";
    case RejectReason::kUntranslatable:
      return "no Prometheus form (type, name, labels too many or too large, or time stamp 0)";
    case RejectReason::kTemporality:
      return "delta temporality; send cumulative, or through the agent on the node";
    case RejectReason::kFuture:
      return "time stamp more than 5 minutes ahead";
    case RejectReason::kInvalid:
      return "bad UTF-8, nesting deeper than 64, ids or buckets that do not fit";
    case RejectReason::kLabelValueBytes:
      return "a label is longer than the customer's label_value_bytes";
    case RejectReason::kLabelsPerSeries:
      return "more labels than the customer's labels_per_series";
    case RejectReason::kAttributes:
      return "more attributes, events or links than one item may have";
    case RejectReason::kResourceBytes:
      return "resource or scope larger than one may be";
    case RejectReason::kExpandedBytes:
      return "an item, or items times their labels or resource, are too much for one request";
    case RejectReason::kDeltaStreams:
      return "there is no room for another stream of deltas; send cumulative, or fewer series";
    case RejectReason::kRepeated:
      return "its series has a delta of that time already, or sixteen newer ones";
    case RejectReason::kNone:
      break;
  }
  return "";
}

}  // namespace

std::string item_size_text(Signal signal, std::size_t bytes) {
  return fmt::format("a {} of {} bytes, {} may be", item_name(signal), bytes, kItemBytesMax);
}

std::string expanded_text(std::uint32_t item, std::uint64_t bytes_max) {
  return fmt::format(
      "with labels or resource on each of them the items are more than {} bytes, from item {} on; "
      "send smaller requests",
      bytes_max, item);
}

void Checked::warn_of_unknown(Signal signal) {
  if (verdicts.items() > 0 || unknown_bytes == 0) return;
  warning = fmt::format(
      "no {} are in this request, but {} bytes in fields that are not known here and are not kept: "
      "is it of another signal, or of a newer OTLP?",
      items_name(signal), unknown_bytes);
}

void Checked::reject(std::uint32_t item, RejectReason reason, std::string_view more) {
  std::string& first = why[static_cast<std::size_t>(reason)];
  // The first of each reason is told: one example helps to find the cause, a thousand do not.
  if (first.empty() && !more.empty()) first = more;
  verdicts.reject(item, reason);
}

void Checked::reject_expanded(std::uint32_t item, std::uint64_t bytes_max) {
  std::string& first = why[static_cast<std::size_t>(RejectReason::kExpandedBytes)];
  if (first.empty()) first = expanded_text(item, bytes_max);
  verdicts.reject(item, RejectReason::kExpandedBytes);
}

std::string no_customer_text(const CustomerId& customer) {
  return fmt::format(
      "resource attribute customer.id is missing: set OTEL_RESOURCE_ATTRIBUTES=customer.id={0}, or "
      "add the attribute customer.id={0} with a resource or attributes processor",
      customer.text());
}

std::string describe(Signal signal, const Checked& checked) {
  const Verdicts& verdicts = checked.verdicts;
  if (verdicts.rejected() == 0) return checked.warning;
  std::string text =
      fmt::format("{} of {} {} refused", verdicts.rejected(), verdicts.items(), items_name(signal));
  std::string_view separator = ": ";
  for (std::size_t i = 1; i < kRejectReasonCount; ++i) {
    const auto reason = static_cast<RejectReason>(i);
    const auto count = verdicts.rejected_for(reason);
    if (count == 0) continue;
    const std::string& why = checked.why[i];
    text += fmt::format("{}{} {} ({})", separator, count, to_string(reason),
                        why.empty() ? explain(reason) : std::string_view(why));
    separator = "; ";
  }
  if (!checked.warning.empty()) text += "; " + checked.warning;
  // It goes in the trailers of an answer too, of which clients take a few KiB.
  if (text.size() > kAnswerTextMax) text.resize(kAnswerTextMax);
  return text;
}

}  // namespace vigia::collector::intake
