#include "services/collector/intake/records_check.hpp"

#include <fmt/format.h>

#include "libs/wire/otlp/items.hpp"
#include "libs/wire/otlp/walker.hpp"
#include "libs/wire/prometheus/resource_labels.hpp"
#include "services/collector/intake/limits.hpp"

namespace vigia::collector::intake {
namespace {

namespace otlp = wire::otlp;
using wire::prometheus::Claim;

/// A resource or a scope, looked at when its first item comes.
struct Head {
  std::string_view bytes;
  bool is_judged = false;
  RejectReason fault = RejectReason::kNone;
};

class RecordsJudge final : public otlp::Visitor {
 public:
  RecordsJudge(const CustomerId& customer, Signal signal) : customer_(customer), signal_(signal) {}

  void on_resource(const otlp::ResourceView& resource) override { resource_ = {resource.bytes}; }
  void on_scope(const otlp::ScopeView& scope) override { scope_ = {scope.bytes}; }
  void on_empty() override { ++checked_.empty_envelopes; }
  void on_unknown(std::size_t bytes) override { checked_.unknown_bytes += bytes; }

  void on_item(std::uint32_t item, std::string_view bytes) override {
    if (!resource_.is_judged) judge_resource();
    if (!scope_.is_judged) judge_scope();
    // Read even where the resource is refused: damaged bytes are a damaged request.
    const otlp::ItemFacts facts =
        signal_ == Signal::kTraces ? otlp::look_at_span(bytes) : otlp::look_at_log_record(bytes);
    if (facts.is_valid && !facts.has_time) ++checked_.timeless;
    const RejectReason head_fault =
        resource_.fault != RejectReason::kNone ? resource_.fault : scope_.fault;
    if (head_fault != RejectReason::kNone) {
      checked_.reject(item, head_fault, why_);
    } else if (!facts.is_valid) {
      checked_.reject(item, RejectReason::kInvalid);
    } else if (facts.attributes > kItemAttributesMax) {
      checked_.reject(
          item, RejectReason::kAttributes,
          fmt::format("{} attributes, {} may be", facts.attributes, kItemAttributesMax));
    } else if (facts.parts > kSpanPartsMax) {
      checked_.reject(item, RejectReason::kAttributes,
                      fmt::format("{} events and links, {} may be", facts.parts, kSpanPartsMax));
    } else if (bytes.size() > kItemBytesMax) {
      checked_.reject(item, RejectReason::kExpandedBytes, item_size_text(signal_, bytes.size()));
    } else {
      checked_.expand(item, resource_.bytes.size() + scope_.bytes.size() + bytes.size(),
                      kExpandedRecordBytesMax);
    }
  }

  Checked take() { return std::move(checked_); }

 private:
  void judge_resource() {
    resource_.is_judged = true;
    why_.clear();
    const Claim claim = wire::prometheus::read_claim(customer_, resource_.bytes);
    if (claim == Claim::kForeign) {
      resource_.fault = RejectReason::kForeign;
    } else if (claim == Claim::kNone) {
      resource_.fault = RejectReason::kNoCustomer;
      why_ = no_customer_text(customer_);
    } else {
      resource_.fault = size_fault(resource_.bytes, "resource");
      if (resource_.fault == RejectReason::kNone && !otlp::is_valid_resource(resource_.bytes))
        resource_.fault = RejectReason::kInvalid;
    }
  }

  void judge_scope() {
    scope_.is_judged = true;
    // The resource's fault is the one that is told; `why_` is its text.
    if (resource_.fault != RejectReason::kNone) return;
    why_.clear();
    scope_.fault = size_fault(scope_.bytes, "scope");
    if (scope_.fault == RejectReason::kNone && !otlp::is_valid_scope(scope_.bytes))
      scope_.fault = RejectReason::kInvalid;
  }

  RejectReason size_fault(std::string_view bytes, std::string_view what) {
    if (bytes.size() <= kResourceBytesMax) return RejectReason::kNone;
    why_ = fmt::format("a {} of {} bytes, {} may be", what, bytes.size(), kResourceBytesMax);
    return RejectReason::kResourceBytes;
  }

  const CustomerId& customer_;
  Signal signal_;
  Head resource_;
  Head scope_;
  std::string why_;  // of the fault of one of them
  Checked checked_;
};

}  // namespace

Result<Checked> check_records(const CustomerId& customer, Signal signal, std::string_view body) {
  RecordsJudge judge(customer, signal);
  auto items = otlp::walk(signal, body, judge,
                          {.items = kRequestRecordsMax,
                           .empty_envelopes = kRequestEmptyEnvelopesMax,
                           .unknown_bytes = kRequestUnknownBytesMax});
  if (!items) return forward(items);
  Checked checked = judge.take();
  checked.verdicts.set_items(*items);
  checked.warn_of_unknown(signal);
  return checked;
}

}  // namespace vigia::collector::intake
