// The name of a stream, which outlives the process: docs/formats/delta-states.md.
#include "libs/deltas/delta_request.hpp"

#include <set>

#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <protozero/pbf_writer.hpp>
#include <xxhash.h>

namespace vigia::deltas {
namespace {

using opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;
using opentelemetry::proto::metrics::v1::AGGREGATION_TEMPORALITY_DELTA;

class All final : public PointJudge {
 public:
  void refuse(std::uint32_t item, DeltaFault /*fault*/) override { ADD_FAILURE() << item; }
};

StreamKey hash_of(const std::string& bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

std::string text(const StreamKey& key) { return {reinterpret_cast<const char*>(&key), sizeof key}; }

/// A metric of that name and unit in one scope, with so many points.
void add_metric(ExportMetricsServiceRequest& request, const std::string& name,
                const std::string& unit, int points) {
  if (request.resource_metrics_size() == 0) {
    request.add_resource_metrics()->add_scope_metrics()->set_schema_url("schema");
  }
  auto* metric = request.mutable_resource_metrics(0)->mutable_scope_metrics(0)->add_metrics();
  metric->set_name(name);
  metric->set_unit(unit);
  auto* sum = metric->mutable_sum();
  sum->set_aggregation_temporality(AGGREGATION_TEMPORALITY_DELTA);
  sum->set_is_monotonic(true);
  for (int i = 0; i < points; ++i) {
    auto* point = sum->add_data_points();
    point->set_time_unix_nano(1);
    point->set_as_int(1);
    auto* attribute = point->add_attributes();
    attribute->set_key("p");
    attribute->mutable_value()->set_string_value(std::to_string(i));
  }
}

/// As the page says it, of a resource and a scope that are empty.
StreamKey expected(const std::string& name, const std::string& unit, const std::string& p) {
  std::string value;
  protozero::pbf_writer(value).add_string(1, p);
  std::string pair;
  protozero::pbf_writer pair_writer(pair);
  pair_writer.add_string(1, "p");
  pair_writer.add_message(2, value);
  std::string attributes;
  protozero::pbf_writer(attributes).add_message(7, pair);
  std::string whole;
  protozero::pbf_writer writer(whole);
  writer.add_bytes(1, text(hash_of("")));
  writer.add_bytes(2, text(hash_of("")));
  writer.add_bytes(3, "schema");
  writer.add_bytes(4, name);
  writer.add_bytes(5, unit);
  writer.add_bytes(6, attributes);
  writer.add_uint32(7, static_cast<std::uint32_t>(wire::otlp::MetricKind::kSum));
  writer.add_bool(8, true);
  return hash_of(whole);
}

// Long ones are hashed once a metric: of 2.5 MB and 40,000 points each time they were 7 s.
TEST(DeltaRequest, AStreamHasTheSameNameHoweverLongItsMetrics) {
  ExportMetricsServiceRequest request;
  const std::vector<std::pair<std::string, std::string>> metrics{
      {"short", "s"},
      {std::string(100'000, 'n'), "s"},
      {"short", std::string(100'000, 'u')},
      {std::string(980, 'n'), "s"},  // about where the way to hash changes
      {std::string(990, 'n'), "s"},
      {std::string(1'100, 'n'), "s"},
      {"other", "s"}};
  for (const auto& [name, unit] : metrics) add_metric(request, name, unit, 3);
  const std::string body = request.SerializeAsString();
  All all;
  const auto found = find_deltas(body, all);
  ASSERT_TRUE(found.has_value());
  ASSERT_EQ(found->size(), metrics.size() * 3);
  std::set<StreamKey> keys;
  for (std::size_t i = 0; i < found->size(); ++i) {
    const auto& [name, unit] = metrics[i / 3];
    EXPECT_EQ((*found)[i].stream, expected(name, unit, std::to_string(i % 3))) << i;
    keys.insert((*found)[i].stream);
  }
  EXPECT_EQ(keys.size(), found->size());
}

}  // namespace
}  // namespace vigia::deltas
