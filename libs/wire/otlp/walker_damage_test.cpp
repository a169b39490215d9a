// What a walk refuses as damaged, and where it says that it is.
#include <string>

#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>
#include <protozero/pbf_writer.hpp>

#include "libs/wire/otlp/items.hpp"
#include "libs/wire/otlp/points.hpp"
#include "libs/wire/otlp/walker.hpp"

namespace vigia::wire::otlp {
namespace {

using opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;
using opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;
using opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;

std::string field(std::uint32_t number, const std::string& bytes) {
  std::string out;
  protozero::pbf_writer(out).add_bytes(number, bytes);
  return out;
}

std::string error_of(Signal signal, const std::string& body) {
  class Looking final : public Visitor {
   public:
    explicit Looking(Signal signal) : signal_(signal) {}
    void on_metric(const MetricView& metric) override { kind_ = metric.type; }
    void on_item(std::uint32_t /*item*/, std::string_view bytes) override {
      if (signal_ == Signal::kMetrics)
        (void)points_.header(kind_, bytes);
      else if (signal_ == Signal::kTraces)
        (void)look_at_span(bytes);
      else
        (void)look_at_log_record(bytes);
    }

   private:
    Signal signal_;
    MetricKind kind_ = MetricKind::kNone;
    PointReader points_;
  } visitor(signal);
  const auto items = walk(signal, body, visitor);
  return items ? "" : items.error().message;
}

// R-OTLP-7. It was read as a length of 0, and the request acknowledged.
TEST(WalkerDamage, ALengthOf2To32IsRefusedWhereverItStands) {
  const std::string bad = "\x0a" + std::string("\x80\x80\x80\x80\x10", 5);
  for (const Signal signal : {Signal::kMetrics, Signal::kTraces, Signal::kLogs}) {
    EXPECT_NE(error_of(signal, bad), "");
    EXPECT_NE(error_of(signal, field(1, bad)), "");
    EXPECT_NE(error_of(signal, field(1, field(2, bad))), "");
    EXPECT_NE(error_of(signal, field(1, field(2, field(2, bad)))), "");
  }
}

TEST(WalkerDamage, SaysWhereARequestIsDamaged) {
  const std::string bad = "\x0a\x7f";
  const std::string good = field(1, field(2, field(2, "")));
  EXPECT_EQ(error_of(Signal::kTraces, good + field(1, field(2, "") + field(2, field(2, bad)))),
            "not an OTLP traces request, at resourceSpans[1].scopeSpans[1].spans[0]: end of buffer "
            "exception");
  EXPECT_EQ(error_of(Signal::kLogs, good + field(1, field(2, field(2, "") + bad))),
            "not an OTLP logs request, at resourceLogs[1].scopeLogs[0]: end of buffer exception");
  const std::string histogram = field(1, "h") + field(9, field(1, "") + field(1, bad));
  EXPECT_EQ(error_of(Signal::kMetrics,
                     field(1, field(2, field(2, field(1, "first")) + field(2, histogram)))),
            "not an OTLP metrics request, at resourceMetrics[0].scopeMetrics[0].metrics[1]"
            ".histogram.dataPoints[1]: end of buffer exception");
  EXPECT_EQ(error_of(Signal::kLogs, bad),
            "not an OTLP logs request, at resourceLogs[0]: end of "
            "buffer exception");
  EXPECT_EQ(error_of(Signal::kLogs, good + "\x0b"),
            "not an OTLP logs request: unknown pbf field type exception");
}

// What a reader would find in such a field nobody can say: to pass over it would lose it without a
// word. Of another signal's request this is seen first.
TEST(WalkerDamage, AKnownFieldOfAnotherWireTypeIsRefused) {
  const auto in_scope = [](const std::string& bytes) { return field(1, field(2, bytes)); };
  const auto refused = [](Signal signal, const std::string& body) {
    return error_of(signal, body).find("another wire type") != std::string::npos;
  };
  const std::string one = std::string("\x08\x01", 2);  // number 1, a varint
  for (const Signal signal : {Signal::kMetrics, Signal::kTraces, Signal::kLogs}) {
    EXPECT_TRUE(refused(signal, one));
    EXPECT_TRUE(refused(signal, field(1, one)));
    EXPECT_TRUE(refused(signal, in_scope(one)));
    EXPECT_TRUE(refused(signal, in_scope(field(2, one))));
  }
  EXPECT_TRUE(refused(Signal::kLogs, in_scope(field(2, field(6, one)))));              // a key
  EXPECT_TRUE(refused(Signal::kLogs, in_scope(field(2, field(5, one)))));              // a text
  EXPECT_TRUE(refused(Signal::kTraces, in_scope(field(2, field(11, field(1, ""))))));  // a time
  EXPECT_TRUE(refused(Signal::kMetrics, in_scope(field(2, field(5, one)))));
  EXPECT_TRUE(refused(Signal::kMetrics, in_scope(field(2, field(5, field(1, field(3, "")))))));
  EXPECT_TRUE(refused(Signal::kMetrics, in_scope(field(2, field(12, one)))));  // metadata's key
  // Of a gauge alone a second field would be new.
  EXPECT_FALSE(refused(Signal::kMetrics, in_scope(field(2, field(5, field(2, ""))))));
  EXPECT_TRUE(refused(Signal::kMetrics, in_scope(field(2, field(7, field(2, ""))))));
}

TEST(WalkerDamage, TheRequestOfAnotherSignalIsRefused) {
  ExportTraceServiceRequest traces;
  auto* span = traces.add_resource_spans()->add_scope_spans()->add_spans();
  span->set_trace_id("0123456789abcdef");
  span->set_span_id("01234567");
  span->set_start_time_unix_nano(1);
  ExportLogsServiceRequest logs;
  logs.add_resource_logs()->add_scope_logs()->add_log_records()->set_time_unix_nano(1);
  ExportMetricsServiceRequest metrics;
  auto* metric = metrics.add_resource_metrics()->add_scope_metrics()->add_metrics();
  metric->set_name("m");
  metric->mutable_gauge()->add_data_points()->set_as_double(1);
  EXPECT_NE(error_of(Signal::kLogs, traces.SerializeAsString()), "");
  EXPECT_NE(error_of(Signal::kMetrics, traces.SerializeAsString()), "");
  EXPECT_NE(error_of(Signal::kTraces, logs.SerializeAsString()), "");
  EXPECT_NE(error_of(Signal::kMetrics, logs.SerializeAsString()), "");
  EXPECT_NE(error_of(Signal::kLogs, metrics.SerializeAsString()), "");
}

}  // namespace
}  // namespace vigia::wire::otlp
