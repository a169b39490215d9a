#include "services/collector/exporters/prometheus/exposition.hpp"

#include <gtest/gtest.h>

namespace vigia::collector::exporters::prometheus {
namespace {

using wire::prometheus::FamilyType;

constexpr const char* k242 =
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
constexpr const char* k3 =
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
    "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

std::string answered(std::string_view accept, bool may_be_open_metrics = true) {
  Exposition exposition;
  negotiate(accept, may_be_open_metrics, exposition);
  return content_type(exposition);
}

TEST(Exposition, IsWhatAcceptPrefers) {
  const std::string open = "application/openmetrics-text; version=1.0.0; charset=utf-8";
  const std::string text = "text/plain; version=0.0.4; charset=utf-8";
  EXPECT_EQ(answered(k242), open);
  EXPECT_EQ(answered(k3), open + "; escaping=allow-utf-8");
  EXPECT_EQ(answered(k3, false), "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8");
  EXPECT_EQ(answered(""), text);
  EXPECT_EQ(answered("*/*"), text);
  EXPECT_EQ(answered("application/json"), text);
  EXPECT_EQ(answered("text/plain, Application/OpenMetrics-Text; Q=0.2"), text);
  EXPECT_EQ(answered("application/openmetrics-text;q=0"), text);
  EXPECT_EQ(answered("application/openmetrics-text;version=2.0.0"), text);
  EXPECT_EQ(answered("text/plain;escaping=values"),
            "text/plain; version=1.0.0; charset=utf-8; escaping=values");
}

TEST(Exposition, NamesAreEscapedAsTheReaderAsks) {
  EXPECT_EQ(escaped_name("a.b_c", Escaping::kUnderscores, true), "a_b_c");
  EXPECT_EQ(escaped_name("ü.x", Escaping::kUnderscores, true), "__x");
  EXPECT_EQ(escaped_name("1a", Escaping::kUnderscores, true), "_a");
  EXPECT_EQ(escaped_name("a.b_c", Escaping::kDots, true), "a_dot_b__c");
  EXPECT_EQ(escaped_name("a.b_c", Escaping::kValues, true), "U__a_2e_b__c");
  EXPECT_EQ(escaped_name("ü", Escaping::kValues, true), "U___fc_");
  EXPECT_EQ(escaped_name("a_b", Escaping::kValues, true), "a_b");
  EXPECT_EQ(escaped_name("a.b", Escaping::kAllowUtf8, true), "a.b");
  EXPECT_EQ(escaped_name("a:b", Escaping::kUnderscores, true), "a_b");
  EXPECT_EQ(escaped_name("a:b", Escaping::kUnderscores, false), "a:b");
}

std::string head(const Exposition& exposition, const char* name, FamilyType type,
                 bool is_base_free = true) {
  std::string out;
  FamilyWriter(exposition, name, type, is_base_free).head(out, "a \"b\"");
  return out;
}

TEST(Exposition, OpenMetricsNamesFamiliesInItsOwnWay) {
  Exposition text;
  Exposition open;
  open.is_open_metrics = true;
  EXPECT_EQ(head(text, "a_total", FamilyType::kCounter),
            "# HELP a_total a \"b\"\n# TYPE a_total counter\n");
  EXPECT_EQ(head(open, "a_total", FamilyType::kCounter),
            "# HELP a a \\\"b\\\"\n# TYPE a counter\n");
  EXPECT_NE(head(open, "a_total", FamilyType::kCounter, false).find("# TYPE a_total unknown"),
            std::string::npos);
  EXPECT_NE(head(open, "a", FamilyType::kCounter).find("# TYPE a unknown"), std::string::npos);
  EXPECT_NE(head(open, "target_info", FamilyType::kInfo).find("# TYPE target info"),
            std::string::npos);
  EXPECT_NE(head(text, "target_info", FamilyType::kInfo).find("# TYPE target_info gauge"),
            std::string::npos);
  open.escaping = Escaping::kAllowUtf8;
  open.name_prefix = "acme_";
  EXPECT_NE(head(open, "a.b_total", FamilyType::kCounter).find("# TYPE \"acme_a.b\" counter"),
            std::string::npos);
}

TEST(Exposition, ASampleHasConstLabelsTimesAndQuotedNames) {
  std::string labels;
  wire::prometheus::append_label(labels, "a.b", "x");
  wire::prometheus::append_label(labels, "a_b", "y");
  wire::prometheus::append_label(labels, "site", "mine");
  ShownSample sample{.suffix = "_bucket",
                     .label_bytes = labels,
                     .extra_name = "le",
                     .extra_value = "1.0",
                     .value = 2,
                     .timestamp_ms = 1'234};
  Exposition exposition;
  exposition.const_labels = {{"site", "ours"}};
  exposition.has_timestamps = true;
  std::string out;
  FamilyWriter(exposition, "h.x", FamilyType::kHistogram, true).sample(out, sample);
  EXPECT_EQ(out, "h_x_bucket{site=\"ours\",a_b=\"y\",le=\"1.0\"} 2 1234\n");
  out.clear();
  exposition.escaping = Escaping::kAllowUtf8;
  exposition.is_open_metrics = true;
  FamilyWriter(exposition, "h.x", FamilyType::kHistogram, true).sample(out, sample);
  EXPECT_EQ(out, "{\"h.x_bucket\",site=\"ours\",\"a.b\"=\"x\",a_b=\"y\",le=\"1.0\"} 2 1.234\n");
}

}  // namespace
}  // namespace vigia::collector::exporters::prometheus
