#include "services/collector/processors/edit_body.hpp"

#include <utility>

#include "libs/wire/prometheus/names.hpp"
#include "services/collector/intake/limits.hpp"

namespace vigia::collector::processors {
namespace {

constexpr std::size_t kMadeTimesMax = 4;        // of a body
constexpr std::size_t kMadeFree = 1ULL << 20U;  // small requests may become more

wire::edit::EditLimits limits_of(const intake::ExportRequest& request) {
  wire::edit::EditLimits limits;
  limits.items =
      request.signal == Signal::kMetrics ? intake::kRequestPointsMax : intake::kRequestRecordsMax;
  limits.empty_envelopes = intake::kRequestEmptyEnvelopesMax;
  limits.item_bytes = intake::kItemBytesMax;
  limits.head_bytes = intake::kEnclosingBytesMax;
  limits.made_bytes = request.body.size() * kMadeTimesMax + kMadeFree;
  limits.is_protected = is_fenced;
  return limits;
}

}  // namespace

bool is_fenced(std::string_view key) {
  constexpr std::string_view kFirst = "customer";
  constexpr std::string_view kLast = "id";
  // Nearly every key ends here: label_name makes a text.
  if (key.substr(0, kFirst.size()) != kFirst || key.size() < kFirst.size() + kLast.size() ||
      key.substr(key.size() - kLast.size()) != kLast)
    return false;
  return wire::prometheus::label_name(key) == "customer_id";
}

std::optional<intake::Refusal> edit_body(intake::Batch& batch, wire::edit::Editor& editor) {
  intake::ExportRequest& request = batch.request;
  auto edited = wire::edit::edit(request.signal, request.body, editor, limits_of(request));
  if (!edited) {
    intake::Refusal refusal{std::move(edited.error())};
    refusal.is_fined = true;
    if (refusal.error.code != ErrorCode::kTooLarge) return refusal;
    refusal.reason = books::RequestReason::kRequestSize;
    const std::uint32_t items_max = limits_of(request).items;
    refusal.items = wire::otlp::count_items(request.signal, request.body, {.items = items_max})
                        .value_or(items_max);
    return refusal;
  }
  batch.filtered += edited->dropped;
  if (edited->body) request.body = *std::move(edited->body);
  return std::nullopt;
}

}  // namespace vigia::collector::processors
