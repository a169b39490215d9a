#include "services/router/api/loki/log_labels.hpp"

#include <gtest/gtest.h>

namespace vigia::router::api::loki {
namespace {

TEST(LogLabels, StreamsAreToldByFewLabels) {
  LogRecord record;
  record.severity = "WARNING";
  record.resource = {{"customer.id", "acme"},
                     {"node.id", "n1"},
                     {"service.name", "shop"},
                     {"environment", "test"},
                     {"k8s.pod.name", "p"}};
  EXPECT_EQ(to_string(stream_labels(record)),
            R"({customer_id="acme",environment="test",level="warn",node_id="n1",)"
            R"(service_name="shop"})");
  EXPECT_EQ(to_string(structured_metadata(record)), R"({k8s_pod_name="p"})");
  EXPECT_EQ(to_string(stream_labels({})), R"({level="unknown"})");
  record.resource = {{"customer.id", "acme"}, {"customer.id", ""}};
  EXPECT_EQ(to_string(stream_labels(record)), R"({customer_id="acme",level="warn"})");
}

TEST(LogLabels, AllElseIsMetadata) {
  LogRecord record;
  record.severity = "SEHR SCHLIMM";
  record.trace_id = "0e7b";
  record.span_id = "ee";
  record.attributes = {{"http.status-code", "500"},
                       {"level", "5"},
                       {"host.name", "own"},
                       {"2nd", "x"},
                       {"", "none"},
                       {"empty", ""}};
  record.resource = {{"host.name", "resource"}, {"host.arch", "arm"}};
  EXPECT_EQ(to_string(structured_metadata(record)),
            R"({_2nd="x",host_arch="arm",host_name="own",http_status_code="500",)"
            R"(level_extracted="5",severity_text="SEHR SCHLIMM",span_id="ee",trace_id="0e7b"})");
}

// The link from a line to its trace goes by this label: a sender's attribute must not stand in it.
TEST(LogLabels, AnAttributeIsNoTraceId) {
  LogRecord record;
  record.trace_id = "0e7b";
  record.attributes = {{"trace_id", "ffff"}};
  EXPECT_EQ(structured_metadata(record).get("trace_id"), "0e7b");
}

}  // namespace
}  // namespace vigia::router::api::loki
