#include "services/collector/processors/programs/program_pass.hpp"

#include <chrono>
#include <utility>

#include <protozero/pbf_writer.hpp>

#include "libs/ottl/limits.hpp"
#include "libs/service/log.hpp"
#include "libs/wire/otlp/walker.hpp"
#include "services/collector/intake/limits.hpp"
#include "services/collector/processors/edit_body.hpp"

namespace vigia::collector::processors::programs {
namespace {

using wire::edit::Editable;
using wire::otlp::SpanField;

constexpr std::int64_t kToldEvery_ms = 60'000;
/// What statements may write for a request, beside four times of it: small ones may become more.
constexpr std::uint64_t kWrittenTimesMax = 4;
constexpr std::uint64_t kWrittenFree = 4ULL << 20U;

/// Thrown through the walk, caught in run_pass.
struct Propagated {
  std::string what;
};

std::int64_t now_ms() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

std::uint64_t items_of(const intake::ExportRequest& request) {
  return wire::otlp::count_items(request.signal, request.body).value_or(0);
}

}  // namespace

void FaultLog::tell(const CustomerId& customer, const std::function<std::string()>& describe) {
  std::int64_t next = next_ms_.load();
  const std::int64_t now = now_ms();
  if ((next != 0 && now < next) || !next_ms_.compare_exchange_strong(next, now + kToldEvery_ms)) {
    ++untold_;
    return;
  }
  service::log_warn("a processor's text could not be run for an item, which goes on without it",
                    {{"processor", processor_},
                     {"customer", std::string(customer.text())},
                     {"where", describe()},
                     {"more_since_last", std::to_string(untold_.exchange(0))}});
}

ProgramPass::ProgramPass(const intake::Batch& batch, FaultLog& log, std::size_t accesses)
    : customer_(batch.customer.id), log_(log) {
  evaluation_.begin_request(ottl::kWorkBytesMax * accesses,
                            batch.request.body.size() * kWrittenTimesMax + kWrittenFree);
}

ottl::Evaluation& ProgramPass::show(ottl::Context context, const wire::edit::EditPlace& place,
                                    Editable* item, Editable* event) {
  const bool is_in_scope = context != ottl::Context::kResource;
  const bool is_in_metric = context == ottl::Context::kMetric || context == ottl::Context::kPoint;
  cache_.open({}, wire::otlp::ValuesField::kValues);
  record_.set(ottl::MessageLevel::kResource, &place.resource);
  record_.set(ottl::MessageLevel::kScope, is_in_scope ? &place.scope : nullptr);
  record_.set(ottl::MessageLevel::kMetric, is_in_metric ? &place.metric : nullptr);
  record_.set(ottl::MessageLevel::kCache, &cache_);
  if (event != nullptr) {
    record_.set(ottl::MessageLevel::kSpan, item);
    record_.set(ottl::MessageLevel::kSpanEvent, event);
  } else if (item != nullptr) {
    record_.set(ottl::level_of(context), item);
  }
  record_.metric_kind = place.kind;
  record_.temporality = place.temporality;
  record_.is_monotonic = place.is_monotonic;
  record_.metric_data = place.data;
  evaluation_.begin(record_);
  return evaluation_;
}

void ProgramPass::note_fault(ErrorMode mode, const std::function<std::string()>& describe) {
  if (mode == ErrorMode::kPropagate) throw Propagated{describe()};
  if (mode == ErrorMode::kIgnore) log_.tell(customer_, describe);
}

std::optional<intake::Refusal> run_pass(intake::Batch& batch, wire::edit::Editor& editor) {
  std::optional<Error> error;
  auto reason = books::RequestReason::kProcessor;
  try {
    return edit_body(batch, editor);
  } catch (const ottl::WorkIsUsedUp&) {
    reason = books::RequestReason::kRequestSize;
    error =
        Error{ErrorCode::kTooLarge,
              "the collector's processors look at more of this request, or make more of it, than "
              "one may cost; send it in smaller ones"};
  } catch (const Propagated& fault) {
    error = Error{
        ErrorCode::kInvalid,
        "a processor of the collector refuses the request (error_mode: propagate): " + fault.what};
  }
  intake::Refusal refusal{*std::move(error), reason, items_of(batch.request)};
  refusal.is_fined = true;
  return refusal;
}

void for_each_event(Editable& span, const std::function<bool(Editable& event)>& visit) {
  std::size_t events = 0;
  wire::otlp::FieldReader counter(span.source());
  while (counter.next()) {
    if (counter.tag_and_type() == SpanField::kEvents.tag) ++events;
    counter.skip();
  }
  if (events == 0 || events > intake::kSpanPartsMax) return;
  std::string all;
  std::string one;
  bool is_changed = false;
  wire::otlp::FieldReader reader(span.source());
  while (reader.next()) {
    if (reader.tag_and_type() != SpanField::kEvents.tag) {
      reader.skip();
      continue;
    }
    Editable event(reader.bytes(), wire::otlp::SpanEventField::kAttributes, is_fenced);
    const bool stays = visit(event);
    is_changed = is_changed || !stays || event.is_changed();
    if (!stays) continue;
    one.clear();
    event.append_to(one);
    protozero::pbf_writer(all).add_bytes(SpanField::kEvents.number, one);
  }
  if (is_changed) span.set_fields(SpanField::kEvents, all);
}

}  // namespace vigia::collector::processors::programs
