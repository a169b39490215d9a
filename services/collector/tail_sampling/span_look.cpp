#include "services/collector/tail_sampling/span_look.hpp"

#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/field_reader.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "libs/wire/otlp/walker.hpp"

namespace vigia::collector::tail_sampling {
namespace {

using wire::otlp::FieldReader;
using wire::otlp::KeyValueView;
using wire::otlp::SpanField;

constexpr std::size_t kTraceIdBytes = 16;

std::uint64_t status_of(std::string_view bytes) {
  std::uint64_t code = 0;
  FieldReader status(bytes);
  while (status.next()) {
    if (status.tag_and_type() == wire::otlp::SpanStatusField::kCode.tag)
      code = status.varint();
    else
      status.skip();
  }
  return code;
}

class SpanLook final : public wire::otlp::Visitor {
 public:
  using See = std::function<void(std::uint32_t, const TraceId&, const TraceFacts&)>;
  SpanLook(const std::vector<SpanCondition>& conditions, const See& see)
      : conditions_(conditions), see_(see) {
    for (std::size_t bit = 0; bit < conditions.size(); ++bit) {
      if (conditions[bit].kind == SpanCondition::Kind::kStatus)
        asks_status_ = true;
      else
        asks_attributes_ = true;
    }
  }

  void on_resource(const wire::otlp::ResourceView& resource) override {
    of_resource_ = 0;
    if (!asks_attributes_) return;
    wire::otlp::for_each_attribute({.bytes = resource.bytes}, [this](const KeyValueView& entry) {
      of_resource_ |= met_by(entry);
    });
  }

  void on_item(std::uint32_t item, std::string_view bytes) override {
    TraceFacts facts{.met = of_resource_, .spans = 1};
    std::string_view id;
    std::uint64_t start_ns = 0;
    std::uint64_t end_ns = 0;
    std::uint64_t status = 0;
    FieldReader span(bytes);
    while (span.next()) {
      switch (span.tag_and_type()) {
        case SpanField::kTraceId.tag:
          id = span.bytes();
          break;
        case SpanField::kStartTime.tag:
          start_ns = span.fixed64();
          break;
        case SpanField::kEndTime.tag:
          end_ns = span.fixed64();
          break;
        case SpanField::kStatus.tag: {
          const std::string_view message = span.bytes();
          if (asks_status_) status = status_of(message);
          break;
        }
        case SpanField::kAttributes.tag: {
          const std::string_view entry = span.bytes();
          if (asks_attributes_) facts.met |= met_by(wire::otlp::read_key_value(entry));
          break;
        }
        default:
          span.skip();
      }
    }
    if (id.size() != kTraceIdBytes) return;
    if (asks_status_) facts.met |= met_by(status);
    facts.first_ns = start_ns;
    facts.last_ns = end_ns;
    see_(item, trace_id_of(id), facts);
  }

 private:
  std::uint64_t met_by(const KeyValueView& entry) const {
    std::uint64_t met = 0;
    for (std::size_t bit = 0; bit < conditions_.size(); ++bit) {
      const SpanCondition& condition = conditions_[bit];
      if (condition.kind != SpanCondition::Kind::kStatus && condition.key == entry.key &&
          condition.matches(entry.value))
        met |= std::uint64_t{1} << bit;
    }
    return met;
  }
  std::uint64_t met_by(std::uint64_t status) const {
    std::uint64_t met = 0;
    for (std::size_t bit = 0; bit < conditions_.size(); ++bit) {
      const SpanCondition& condition = conditions_[bit];
      if (condition.kind == SpanCondition::Kind::kStatus && condition.statuses.contains(status))
        met |= std::uint64_t{1} << bit;
    }
    return met;
  }

  const std::vector<SpanCondition>& conditions_;
  const See& see_;
  bool asks_status_ = false;
  bool asks_attributes_ = false;
  std::uint64_t of_resource_ = 0;
};

class IdLook final : public wire::otlp::Visitor {
 public:
  using See = std::function<void(std::uint32_t, const TraceId&)>;
  explicit IdLook(const See& see) : see_(see) {}

  void on_item(std::uint32_t item, std::string_view bytes) override {
    std::string_view id;
    FieldReader span(bytes);
    while (span.next()) {
      if (span.tag_and_type() == SpanField::kTraceId.tag)
        id = span.bytes();
      else
        span.skip();
    }
    if (id.size() == kTraceIdBytes) see_(item, trace_id_of(id));
  }

 private:
  const See& see_;
};

}  // namespace

Result<std::uint32_t> look_at_spans(std::string_view body,
                                    const std::vector<SpanCondition>& conditions,
                                    const SpanLook::See& see) {
  SpanLook look(conditions, see);
  return wire::otlp::walk(Signal::kTraces, body, look);
}

Result<std::uint32_t> look_at_trace_ids(std::string_view body, const IdLook::See& see) {
  IdLook look(see);
  return wire::otlp::walk(Signal::kTraces, body, look);
}

}  // namespace vigia::collector::tail_sampling
