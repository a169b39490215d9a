#include "services/collector/processors/programs/program_pass.hpp"

#include <algorithm>
#include <utility>

#include <protozero/pbf_writer.hpp>

#include "libs/ottl/limits.hpp"
#include "libs/wire/otlp/walker.hpp"
#include "services/collector/intake/limits.hpp"
#include "services/collector/processors/edit_body.hpp"

namespace vigia::collector::processors::programs {
namespace {

using wire::edit::Editable;
using wire::otlp::SpanField;

/// What statements may write for a request, beside four times of it: small ones may become more.
constexpr std::uint64_t kWrittenTimesMax = 4;
constexpr std::uint64_t kWrittenFree = 4ULL << 20U;

/// Thrown through the walk, caught in run_pass.
struct Propagated {
  std::string what;
};

std::uint64_t items_of(const intake::ExportRequest& request) {
  return wire::otlp::count_items(request.signal, request.body).value_or(0);
}

}  // namespace

ProgramPass::ProgramPass(intake::Batch& batch, std::string_view processor, std::size_t accesses)
    : faults_(batch.faults), processor_(processor) {
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
  auto found = std::find_if(faults_.begin(), faults_.end(),
                            [&](const auto& of) { return of.processor == processor_; });
  if (found == faults_.end()) found = faults_.insert(found, {processor_, 0, {}});
  ++found->faults;
  if (mode == ErrorMode::kPropagate) throw Propagated{describe()};
  if (mode == ErrorMode::kIgnore && found->first.empty()) found->first = describe();
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
