// A line of the log for each item of a request, while its customer may have some.
#pragma once

#include <string>
#include <string_view>

#include "libs/model/ids.hpp"
#include "libs/model/signal.hpp"
#include "libs/wire/otlp/walker.hpp"
#include "services/collector/exporters/debug/line_budget.hpp"

namespace vigia::collector::exporters::debug {

/// Walks one request. Holds references. Thread contract: one thread.
class ItemLines final : public wire::otlp::Visitor {
 public:
  struct Shown {
    const std::string& exporter;
    const CustomerId& customer;
    Signal signal;
    bool is_detailed;
  };
  ItemLines(const Shown& request, LineBudget& budget) : request_(request), budget_(budget) {}

  void on_resource(const wire::otlp::ResourceView& resource) override {
    resource_ = resource.bytes;
  }
  void on_scope(const wire::otlp::ScopeView& scope) override { scope_ = scope.bytes; }
  void on_metric(const wire::otlp::MetricView& metric) override { metric_ = metric; }
  void on_item(std::uint32_t item, std::string_view bytes) override;

 private:
  void write_point(std::string_view bytes) const;
  void write_span(std::string_view bytes) const;
  void write_record(std::string_view bytes) const;
  std::string resource_json() const;
  std::string scope_json() const;

  const Shown request_;
  LineBudget& budget_;
  std::string_view resource_, scope_;
  wire::otlp::MetricView metric_;
};

}  // namespace vigia::collector::exporters::debug
