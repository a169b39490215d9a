// What a processor costs a data point: the body of a scrape of 1,000 points with five attributes.
#include <benchmark/benchmark.h>
#include <protozero/pbf_writer.hpp>

#include "libs/wire/otlp/fields.hpp"
#include "services/collector/processors/attributes/attributes_stage.hpp"

namespace vigia::collector::processors::attributes {
namespace {

namespace otlp = wire::otlp;

constexpr int kPoints = 1000;

void add_attribute(protozero::pbf_writer& owner, std::uint32_t number, const std::string& key,
                   const std::string& value) {
  protozero::pbf_writer attribute(owner, number);
  attribute.add_string(otlp::KeyValueField::kKey.number, key);
  protozero::pbf_writer any(attribute, otlp::KeyValueField::kValue.number);
  any.add_string(otlp::AnyValueField::kString.number, value);
}

void add_gauge(protozero::pbf_writer& scope, int number) {
  protozero::pbf_writer metric(scope, otlp::GroupField::kMembers.number);
  metric.add_string(otlp::MetricField::kName.number, "requests." + std::to_string(number % 50));
  protozero::pbf_writer gauge(metric, otlp::MetricField::kGauge.number);
  protozero::pbf_writer point(gauge, otlp::MetricDataField::kPoints.number);
  point.add_fixed64(otlp::NumberPointField::kTime.number, 1'800'000'000'000'000'000);
  point.add_double(otlp::NumberPointField::kDouble.number, number);
  const std::uint32_t attributes = otlp::NumberPointField::kAttributes.number;
  add_attribute(point, attributes, "method", "GET");
  add_attribute(point, attributes, "route", "/api/v1/items/" + std::to_string(number));
  add_attribute(point, attributes, "status", "200");
  add_attribute(point, attributes, "zone", "eu-1");
  add_attribute(point, attributes, "pod", "shop-7d9f");
}

std::string body() {
  std::string bytes;
  protozero::pbf_writer request(bytes);
  protozero::pbf_writer group(request, otlp::ExportRequestField::kGroups.number);
  {
    protozero::pbf_writer resource(group, otlp::GroupField::kHead.number);
    add_attribute(resource, otlp::ResourceField::kAttributes.number, "customer.id", "cliente-a");
  }
  protozero::pbf_writer scope(group, otlp::GroupField::kMembers.number);
  for (int point = 0; point < kPoints; ++point) add_gauge(scope, point);
  return bytes;
}

void run(benchmark::State& state, const std::string& yaml) {
  const auto file = service::ConfigFile::parse(yaml, "c.yaml");
  config::Notes notes;
  auto stage =
      make_attributes_stage(read_attributes_processor(file->root(), {Signal::kMetrics}, notes));
  const tenancy::Customer customer{*CustomerId::parse("cliente-a"), "A", "hot-0", {}, 0};
  const std::string sent = body();
  for (auto _ : state) {
    intake::Batch batch{customer, {Signal::kMetrics, "grpc", sent}};
    benchmark::DoNotOptimize(stage->accept(batch));
    benchmark::DoNotOptimize(batch.request.body.data());
  }
  state.SetItemsProcessed(state.iterations() * kPoints);
}

/// The copy of the body that every run makes, alone.
void BM_Nothing(benchmark::State& state) {
  const std::string sent = body();
  for (auto _ : state) {
    std::string copy = sent;
    benchmark::DoNotOptimize(copy.data());
  }
  state.SetItemsProcessed(state.iterations() * kPoints);
}
BENCHMARK(BM_Nothing);

void BM_NoMetricMatches(benchmark::State& state) {
  run(state,
      "include: {match_type: strict, metric_names: [none]}\n"
      "actions: [{key: zone, value: eu-2, action: upsert}]");
}
BENCHMARK(BM_NoMetricMatches);

void BM_UpdateOne(benchmark::State& state) {
  run(state, "actions: [{key: zone, value: eu-2, action: update}]");
}
BENCHMARK(BM_UpdateOne);

void BM_InsertAndDelete(benchmark::State& state) {
  run(state, "actions: [{key: pod, action: delete}, {key: env, value: prod, action: insert}]");
}
BENCHMARK(BM_InsertAndDelete);

void BM_HashOne(benchmark::State& state) { run(state, "actions: [{key: pod, action: hash}]"); }
BENCHMARK(BM_HashOne);

}  // namespace
}  // namespace vigia::collector::processors::attributes
