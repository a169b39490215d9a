#include "services/collector/intake/records_check.hpp"

#include "libs/wire/otlp/items.hpp"
#include "libs/wire/otlp/walker.hpp"
#include "libs/wire/prometheus/resource_labels.hpp"

namespace vigia::collector {
namespace {

namespace otlp = wire::otlp;
using wire::prometheus::Claim;

class Judge final : public otlp::Visitor {
 public:
  Judge(const CustomerId& customer, Signal signal) : customer_(customer), signal_(signal) {}

  void on_resource(const otlp::ResourceView& resource) override {
    const Claim claim = wire::prometheus::read_claim(customer_, resource.bytes);
    if (claim == Claim::kForeign) {
      resource_fault_ = RejectReason::kForeign;
    } else if (claim == Claim::kNone) {
      resource_fault_ = RejectReason::kNoCustomer;
    } else {
      resource_fault_ =
          otlp::is_valid_resource(resource.bytes) ? RejectReason::kNone : RejectReason::kInvalid;
    }
  }

  void on_scope(const otlp::ScopeView& scope) override {
    scope_fault_ = otlp::is_valid_scope(scope.bytes) ? RejectReason::kNone : RejectReason::kInvalid;
  }

  void on_item(std::uint32_t item, std::string_view bytes) override {
    // Read even where the resource is refused: damaged bytes are a damaged request.
    const bool is_valid =
        signal_ == Signal::kTraces ? otlp::is_valid_span(bytes) : otlp::is_valid_log_record(bytes);
    RejectReason fault = resource_fault_;
    if (fault == RejectReason::kNone) fault = scope_fault_;
    if (fault == RejectReason::kNone && !is_valid) fault = RejectReason::kInvalid;
    if (fault != RejectReason::kNone) verdicts_.reject(item, fault);
  }

  Verdicts take() { return std::move(verdicts_); }

 private:
  const CustomerId& customer_;
  Signal signal_;
  RejectReason resource_fault_ = RejectReason::kNone;
  RejectReason scope_fault_ = RejectReason::kNone;
  Verdicts verdicts_;
};

}  // namespace

Result<Verdicts> check_records(const CustomerId& customer, Signal signal, std::string_view body) {
  Judge judge(customer, signal);
  auto items = otlp::walk(signal, body, judge);
  if (!items) return forward(items);
  Verdicts verdicts = judge.take();
  verdicts.set_items(*items);
  return verdicts;
}

}  // namespace vigia::collector
