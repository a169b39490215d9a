#include "services/collector/books/books.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::collector::books {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class BooksTest : public ::testing::Test {
 protected:
  std::string accepted() const {
    const std::string text = metrics_.expose(false);
    const std::string wanted =
        R"(otelcol_receiver_accepted_metric_points{receiver="otlp",transport="grpc"} )";
    const std::size_t at = text.find(wanted);
    if (at == std::string::npos) return "not shown";
    return text.substr(at + wanted.size(), text.find('\n', at) - at - wanted.size());
  }

  service::MetricRegistry metrics_;
  Books books_{metrics_};
  CustomerId customer_ = *CustomerId::parse("cliente-a");
};

TEST_F(BooksTest, WhatIsRefusedWasNeverShownAsAccepted) {
  EXPECT_EQ(accepted(), "0");
  books_.arrived({.customer = customer_,
                  .transport = "grpc",
                  .items = 5,
                  .rejected = {{RejectReason::kInvalid, 2}},
                  .exporters = {"x"}});
  EXPECT_EQ(accepted(), "3");
  books_.arrived({.customer = customer_,
                  .transport = "grpc",
                  .items = 4,
                  .rejected = {{RejectReason::kInvalid, 1}, {RequestReason::kFull, 3}},
                  .exporters = {"x"}});
  EXPECT_EQ(accepted(), "3");
  EXPECT_THAT(metrics_.expose(false),
              HasSubstr(R"(refused_metric_points{receiver="otlp",transport="grpc"} 6)"));
}

TEST_F(BooksTest, WhatProcessorsTakeOutIsReceivedAndNeitherRefusedNorAwaited) {
  Books::Arrival arrival{.customer = customer_,
                         .transport = "grpc",
                         .items = 10,
                         .rejected = {{RejectReason::kInvalid, 2}},
                         .filtered = 3,
                         .exporters = {"x"}};
  books_.arrived(arrival);
  const auto balance = [this] {
    const Books::Line line = books_.line(customer_, Signal::kMetrics, "x");
    EXPECT_EQ(line.queued_at_start + line.received + line.unexplained,
              line.rejected + line.filtered + line.sent + line.dropped + line.queued);
    return line;
  };
  EXPECT_EQ(balance().queued, 5U);
  EXPECT_EQ(balance().filtered, 3U);
  EXPECT_EQ(accepted(), "8");
  books_.sent(customer_, Signal::kMetrics, "x", 5);
  EXPECT_EQ(balance().queued, 0U);
  EXPECT_THAT(metrics_.expose(false), HasSubstr(R"(vigia_items_filtered_total{customer_id=)"
                                                R"("cliente-a",signal="metrics"} 3)"));
  // Refused as a whole it comes once more, with all its items.
  arrival.refuse_rest(RequestReason::kFull);
  EXPECT_EQ(arrival.accepted(), 0U);
  books_.arrived(arrival);
  EXPECT_EQ(balance().filtered, 3U);
  EXPECT_EQ(balance().rejected, 2U + 10U);
}

// It is no loss, and nobody is told; it waited until then.
TEST_F(BooksTest, WhatAProcessorTakesOutLaterLeavesAllQueues) {
  books_.arrived({.customer = customer_,
                  .signal = Signal::kTraces,
                  .transport = "grpc",
                  .items = 10,
                  .exporters = {"x", "y"}});
  books_.sampled_out(customer_, Signal::kTraces, {"x", "y"}, 7);
  books_.sent(customer_, Signal::kTraces, "x", 3);
  for (const char* exporter : {"x", "y"}) {
    const Books::Line line = books_.line(customer_, Signal::kTraces, exporter);
    EXPECT_EQ(line.received, line.filtered + line.sent + line.queued) << exporter;
    EXPECT_EQ(line.filtered, 7U);
    EXPECT_EQ(line.dropped + line.unexplained, 0U);
  }
  EXPECT_EQ(books_.line(customer_, Signal::kTraces, "y").queued, 3U);
  EXPECT_THAT(metrics_.expose(false), HasSubstr(R"(reason="tail_sampling")"));
}

// Dashboards show nothing of a series that is not there: from the start on, at 0.
TEST_F(BooksTest, StockSeriesOfConfiguredPartsAreThereFromTheStart) {
  books_.know_parts({{{"otlp/far", {Signal::kTraces}}}, {"batch"}});
  std::string page = metrics_.expose(false);
  for (const char* line : {R"(otelcol_exporter_sent_spans{exporter="otlp/far"} 0)",
                           R"(otelcol_exporter_send_failed_spans{exporter="otlp/far"} 0)",
                           R"(otelcol_exporter_enqueue_failed_spans{exporter="otlp/far"} 0)",
                           R"(otelcol_processor_accepted_log_records{processor="batch"} 0)",
                           R"(otelcol_processor_batch_metadata_cardinality{processor="batch"} 0)"})
    EXPECT_THAT(page, HasSubstr(line));
  EXPECT_THAT(page, Not(HasSubstr(R"(otelcol_exporter_sent_log_records)")));
  books_.arrived({.customer = customer_,
                  .signal = Signal::kTraces,
                  .transport = "grpc",
                  .items = 9,
                  .rejected = {{RequestReason::kFull, 4}, {RequestReason::kRate, 2}}});
  page = metrics_.expose(false);
  EXPECT_THAT(page, HasSubstr(R"(otelcol_exporter_enqueue_failed_spans{exporter="otlp/far"} 4)"));
  EXPECT_THAT(page, HasSubstr(R"(otelcol_processor_accepted_spans{processor="batch"} 3)"));
  EXPECT_THAT(page,
              HasSubstr(R"(otelcol_processor_batch_metadata_cardinality{processor="batch"} 1)"));
}

// It was taken to have waited at the start, so that the equation held whatever was counted twice.
TEST_F(BooksTest, WhatLeavesAndNeverCameIsUnexplained) {
  books_.queued_at_start(customer_, Signal::kMetrics, "x", 2);
  books_.sent(customer_, Signal::kMetrics, "x", 3);
  books_.dropped(customer_, Signal::kMetrics, "x", DropCause::kTooOld, 4);
  const Books::Line line = books_.line(customer_, Signal::kMetrics, "x");
  EXPECT_EQ(line.queued, 0U);
  EXPECT_EQ(line.queued_at_start, 2U);
  EXPECT_EQ(line.unexplained, 5U);
  EXPECT_EQ(line.queued_at_start + line.unexplained, line.sent + line.dropped);
  EXPECT_THAT(metrics_.expose(false), HasSubstr(R"(vigia_items_unexplained_total{customer_id=)"
                                                R"("cliente-a",exporter="x",signal="metrics"} 5)"));
}

TEST_F(BooksTest, FaultsOfAProcessorAreCountedByCustomer) {
  books_.processor_failed(*CustomerId::parse("cliente-a"), "filter/noise", 2);
  books_.processor_failed(*CustomerId::parse("cliente-a"), "filter/noise", 3);
  EXPECT_THAT(metrics_.expose(false), HasSubstr(R"(vigia_processor_faults_total{customer_id=)"
                                                R"("cliente-a",processor="filter/noise"} 5)"));
}

TEST_F(BooksTest, ThatNothingIsUnexplainedIsShown) {
  books_.arrived({.customer = customer_, .transport = "grpc", .items = 5, .exporters = {"x"}});
  books_.queued_at_start(customer_, Signal::kLogs, "x", 2);
  books_.sent(customer_, Signal::kMetrics, "x", 5);
  for (const char* signal : {"metrics", "logs"})
    EXPECT_THAT(
        metrics_.expose(false),
        HasSubstr(R"(vigia_items_unexplained_total{customer_id="cliente-a",exporter="x",signal=")" +
                  std::string(signal) + R"("} 0)"));
}

TEST_F(BooksTest, WhoHasSomethingThatWaitsForAnExporter) {
  books_.queued_at_start(customer_, Signal::kMetrics, "x", 2);
  books_.queued_at_start(customer_, Signal::kLogs, "x", 3);
  books_.queued_at_start(*CustomerId::parse("b"), Signal::kLogs, "x", 1);
  books_.queued_at_start(*CustomerId::parse("c"), Signal::kLogs, "y", 1);
  books_.sent(*CustomerId::parse("b"), Signal::kLogs, "x", 1);
  EXPECT_EQ(books_.queued_by_customer("x"),
            (std::map<std::string, std::uint64_t>{{"cliente-a", 5}}));
}

}  // namespace
}  // namespace vigia::collector::books
