// Whatever the bytes: the walker answers or refuses, and what it accepts can be read again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/check.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "libs/wire/otlp/items.hpp"
#include "libs/wire/otlp/points.hpp"
#include "libs/wire/otlp/rewrite.hpp"
#include "libs/wire/otlp/walker.hpp"

namespace {

using namespace std::string_view_literals;
namespace otlp = vigia::wire::otlp;

class ReadAll final : public otlp::Visitor {
 public:
  explicit ReadAll(vigia::Signal signal) : signal_(signal) {}
  void on_resource(const otlp::ResourceView& resource) override {
    otlp::is_valid_resource(resource.bytes);
    otlp::for_each_attribute({resource.bytes, otlp::ResourceField::kAttributes.number},
                             [this](const otlp::KeyValueView& entry) {
                               text_.clear();
                               otlp::append_value_text(text_, entry.value);
                             });
  }
  void on_scope(const otlp::ScopeView& scope) override { otlp::is_valid_scope(scope.bytes); }
  void on_metric(const otlp::MetricView& metric) override { type_ = metric.type; }
  void on_item(std::uint32_t item, std::string_view bytes) override {
    CHECK(item == items_);
    ++items_;
    if (signal_ == vigia::Signal::kTraces) {
      otlp::is_valid_span(bytes);
    } else if (signal_ == vigia::Signal::kLogs) {
      otlp::is_valid_log_record(bytes);
    } else {
      const auto& point = reader_.header(type_, bytes);
      otlp::are_valid(point.attributes);
      otlp::for_each_exemplar(type_, bytes, [](std::string_view exemplar) {
        otlp::are_valid(otlp::read_exemplar(exemplar).attributes);
      });
    }
  }
  std::uint32_t items() const { return items_; }

 private:
  vigia::Signal signal_;
  otlp::MetricKind type_ = otlp::MetricKind::kNone;
  otlp::PointReader reader_;
  std::string text_;
  std::uint32_t items_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string body(data, data + size);
  for (const auto signal :
       {vigia::Signal::kMetrics, vigia::Signal::kTraces, vigia::Signal::kLogs}) {
    ReadAll visitor(signal);
    const auto items = otlp::walk(signal, body, visitor);
    if (!items) continue;
    CHECK(*items == visitor.items());
    const auto more = otlp::with_additions(signal, body, {.customer = "c", .first_time_ns = 1});
    if (more) CHECK(otlp::count_items(signal, *more) == *items);
  }
  return 0;
}
