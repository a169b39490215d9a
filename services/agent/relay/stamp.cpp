#include "services/agent/relay/stamp.hpp"

#include <algorithm>

#include <protozero/pbf_writer.hpp>

#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "libs/wire/otlp/walker.hpp"
#include "services/agent/telemetry/otlp_writer.hpp"
#include "services/agent/telemetry/request_durations.hpp"

namespace vigia::agent::relay {

namespace {

using wire::otlp::ExportRequestField;
using wire::otlp::FieldReader;
using wire::otlp::GroupField;
using wire::otlp::ResourceField;

class Inspector final : public wire::otlp::Visitor {
 public:
  /// ResourceStamp reads the attributes' keys: what it would stumble over is refused here.
  void on_resource(const wire::otlp::ResourceView& resource) override {
    wire::otlp::for_each_attribute({resource.bytes, ResourceField::kAttributes.number},
                                   [](const wire::otlp::KeyValueView& /*attribute*/) {});
  }
  void on_metric(const wire::otlp::MetricView& metric) override {
    using wire::otlp::MetricKind;
    const bool is_summed = metric.type == MetricKind::kSum ||
                           metric.type == MetricKind::kHistogram ||
                           metric.type == MetricKind::kExponentialHistogram;
    contents_.has_deltas |= is_summed && metric.temporality == wire::otlp::Temporality::kDelta;
    contents_.has_request_durations |= telemetry::is_request_duration(metric.name);
  }
  void on_item(std::uint32_t /*item*/, std::string_view /*bytes*/) override {}
  RequestContents& contents() { return contents_; }

 private:
  RequestContents contents_;
};

/// A key as Prometheus' translators make a label of it: runs of other characters become one "_".
std::string label_of(std::string_view key) {
  std::string label;
  for (const char letter : key) {
    const bool is_kept = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                         (letter >= '0' && letter <= '9');
    if (is_kept) {
      label += letter;
    } else if (label.empty() || label.back() != '_') {
      label += '_';
    }
  }
  return label;
}

}  // namespace

Result<RequestContents> inspect_request(Signal signal, std::string_view body) {
  Inspector inspector;
  const auto items = wire::otlp::walk(signal, body, inspector);
  if (!items) return forward(items);
  inspector.contents().items = *items;
  return inspector.contents();
}

ResourceStamp::ResourceStamp(const std::vector<host::ResourceAttribute>& attributes) {
  for (const host::ResourceAttribute& attribute : attributes)
    labels_.push_back(label_of(attribute.key));
  encoded_ = telemetry::encode_resource(attributes);
}

bool ResourceStamp::is_ours(std::string_view key) const {
  return std::find(labels_.begin(), labels_.end(), label_of(key)) != labels_.end();
}

std::string ResourceStamp::stamp_resource(std::string_view resource) const {
  std::string stamped;
  FieldReader reader(resource);
  while (reader.next()) {
    if (reader.tag_and_type() == ResourceField::kAttributes.tag) {
      // By the label that the key would become: "node-id" and "node.id" are one label to
      // Prometheus, and an application must not pass for another node.
      if (is_ours(wire::otlp::read_key_value(reader.bytes()).key)) continue;
    } else {
      reader.skip();
    }
    stamped.append(reader.field_begin(), reader.position());
  }
  return stamped + encoded_;
}

std::string ResourceStamp::stamp_envelope(std::string_view envelope) const {
  std::string_view resource;
  std::string stamped;
  FieldReader reader(envelope);
  while (reader.next()) {
    if (reader.tag_and_type() == GroupField::kHead.tag) {
      resource = reader.bytes();
    } else {
      reader.skip();
      stamped.append(reader.field_begin(), reader.position());
    }
  }
  // Also where the envelope has no resource: its items would belong to nobody.
  protozero::pbf_writer(stamped).add_message(GroupField::kHead.number, stamp_resource(resource));
  return stamped;
}

std::string ResourceStamp::apply(std::string_view body) const {
  std::string stamped;
  stamped.reserve(body.size() + encoded_.size() + 64);
  protozero::pbf_writer writer(stamped);
  FieldReader reader(body);
  while (reader.next()) {
    if (reader.tag_and_type() == ExportRequestField::kGroups.tag) {
      writer.add_message(ExportRequestField::kGroups.number, stamp_envelope(reader.bytes()));
    } else {
      reader.skip();
      stamped.append(reader.field_begin(), reader.position());
    }
  }
  return stamped;
}

std::size_t ResourceStamp::stamped_bytes_max(std::string_view body) const {
  // Both lengths, resource's and envelope's, may take more bytes than before.
  constexpr std::size_t kLengthsBytes = 12;
  std::size_t bytes = body.size();
  FieldReader reader(body);
  while (reader.next()) {
    if (reader.tag_and_type() == ExportRequestField::kGroups.tag) {
      bytes += encoded_.size() + kLengthsBytes;
    }
    reader.skip();
  }
  return bytes;
}

}  // namespace vigia::agent::relay
