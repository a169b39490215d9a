#include "bench/receive/payload.hpp"

#include <ctime>

#include <fmt/format.h>
#include <protozero/pbf_writer.hpp>

namespace vigia::bench {
namespace {

using protozero::pbf_writer;

constexpr std::size_t kGauges = 10;

std::uint64_t now_ns() { return static_cast<std::uint64_t>(std::time(nullptr)) * 1'000'000'000ULL; }

void add_text(pbf_writer& owner, std::uint32_t field, const std::string& key,
              const std::string& text) {
  pbf_writer entry(owner, field);
  entry.add_string(1, key);
  pbf_writer value(entry, 2);
  value.add_string(1, text);
}

void add_integer(pbf_writer& owner, std::uint32_t field, const std::string& key,
                 std::int64_t number) {
  pbf_writer entry(owner, field);
  entry.add_string(1, key);
  pbf_writer value(entry, 2);
  value.add_int64(3, number);
}

/// `integers` integer attributes and `texts` text attributes.
void add_attributes(pbf_writer& owner, std::uint32_t field, std::size_t integers, std::size_t texts,
                    std::size_t number) {
  for (std::size_t i = 0; i < integers; ++i) {
    add_integer(owner, field, fmt::format("integer.attribute.{}", i),
                static_cast<std::int64_t>(number));
  }
  for (std::size_t i = 0; i < texts; ++i) {
    add_text(owner, field, fmt::format("load.attribute.{}", i),
             fmt::format("value-{}-{:06}", i, number));
  }
}

void add_resource(pbf_writer& group, const std::string& customer) {
  pbf_writer resource(group, 1);
  add_text(resource, 1, "customer.id", customer);
  add_text(resource, 1, "service.name", "load");
  add_text(resource, 1, "node.id", "prod-web-01");
}

void add_gauges(pbf_writer& scope, std::size_t items, std::size_t number) {
  for (std::size_t g = 0; g < kGauges; ++g) {
    pbf_writer metric(scope, 2);
    metric.add_string(1, fmt::format("load.gauge.{}", g));
    metric.add_string(3, "1");
    pbf_writer gauge(metric, 5);
    for (std::size_t p = 0; p < items / kGauges; ++p) {
      pbf_writer point(gauge, 1);
      point.add_fixed64(2, now_ns() - 60'000'000'000ULL);
      point.add_fixed64(3, now_ns());
      point.add_double(4, static_cast<double>(p));
      add_attributes(point, 7, 1, 7, number * items + g * items / kGauges + p);
    }
  }
}

void add_spans(pbf_writer& scope, std::size_t items, std::size_t number) {
  for (std::size_t i = 0; i < items; ++i) {
    pbf_writer span(scope, 2);
    span.add_bytes(1, fmt::format("{:016}", number * items + i + 1));
    span.add_bytes(2, fmt::format("{:08}", i + 1));
    span.add_bytes(4, fmt::format("{:08}", i + 2));
    span.add_string(5, "load-span");
    span.add_enum(6, 2);
    span.add_fixed64(7, now_ns() - 1'000'000);
    span.add_fixed64(8, now_ns());
    add_attributes(span, 9, 2, 8, number * items + i);
  }
}

void add_records(pbf_writer& scope, std::size_t items, std::size_t number) {
  for (std::size_t i = 0; i < items; ++i) {
    pbf_writer record(scope, 2);
    record.add_fixed64(1, now_ns());
    record.add_enum(2, 9);
    record.add_string(3, "INFO");
    {
      pbf_writer body(record, 5);
      body.add_string(
          1, fmt::format("GET /producto/{} took {} ms in the shop of the load", i, number));
    }
    add_attributes(record, 6, 1, 7, number * items + i);
  }
}

}  // namespace

std::string make_payload(Signal signal, std::size_t items, std::size_t number,
                         const std::string& customer) {
  std::string body;
  {
    pbf_writer request(body);
    pbf_writer group(request, 1);
    add_resource(group, customer);
    pbf_writer scope(group, 2);
    if (signal == Signal::kMetrics) {
      add_gauges(scope, items, number);
    } else if (signal == Signal::kTraces) {
      add_spans(scope, items, number);
    } else {
      add_records(scope, items, number);
    }
  }
  return body;
}

}  // namespace vigia::bench
