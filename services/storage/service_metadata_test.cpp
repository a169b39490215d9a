// Metrics' metadata of remote write, kept and served over the network.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "services/storage/testing/service_fixture.hpp"

namespace vigia::storage {
namespace {

using protozero::pbf_writer;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ServiceMetadataTest : public ServiceFixture {
 protected:
  // A MetricMetadata of 1.0, as a field of its request.
  static std::string said(const std::string& family, std::uint32_t type, const std::string& help,
                          const std::string& unit = "") {
    std::string metadata;
    pbf_writer writer(metadata);
    writer.add_enum(1, static_cast<std::int32_t>(type));
    writer.add_string(2, family);
    writer.add_string(4, help);
    writer.add_string(5, unit);
    std::string message;
    pbf_writer(message).add_message(3, metadata);
    return message;
  }
  // A request of 2.0: series of these metrics, each of which says the same.
  net::ClientResponse write_2(const std::vector<std::string>& metrics, const std::string& owner,
                              const std::string& help, const std::string& customer = "") {
    std::string message;
    pbf_writer writer(message);
    for (const std::string& symbol : {std::string(), std::string("__name__"),
                                      std::string("customer_id"), owner, help, std::string("s")})
      writer.add_string(4, symbol);
    for (const std::string& metric : metrics) writer.add_string(4, metric);
    for (std::uint32_t i = 0; i < metrics.size(); ++i) {
      pbf_writer series(writer, 5);
      const std::vector<std::uint32_t> references{1, 6 + i, 2, 3};
      series.add_packed_uint32(1, references.begin(), references.end());
      {
        pbf_writer sample(series, 2);
        sample.add_double(1, 1);
        sample.add_int64(2, now_);
      }
      pbf_writer metadata(series, 5);
      metadata.add_enum(1, 3);  // a histogram
      metadata.add_uint32(3, 4);
      metadata.add_uint32(4, 5);
    }
    net::ClientRequest request;
    request.method = "POST";
    request.url = "/api/v1/write";
    request.headers = {
        {"content-type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"},
        {"content-encoding", "snappy"}};
    if (!customer.empty()) request.headers.add("x-vigia-customer", customer);
    request.body = wire::remote_write::compress_request(message);
    return send(std::move(request));
  }
  // What came with samples is kept behind their answer, and what came alone before its own: in the
  // order in which it came, whoever's it is.
  void settle() { EXPECT_EQ(write(said("settled", 1, "x"), "cliente-z").status, 204); }
  std::string metadata_of(const std::string& customer, const std::string& parameters = "") {
    return get("/api/v1/metadata" + parameters, customer).body;
  }
};

constexpr const char* kNone = R"({"status":"success","data":{}})";

TEST_F(ServiceMetadataTest, IsKeptOverAStartAndGivenToItsCustomerAlone) {
  EXPECT_EQ(
      write(said("up", 2, "is \"there\"") + said("lat", 3, "how long", "seconds"), "cliente-a")
          .status,
      204);
  EXPECT_EQ(write(said("up", 2, "of b"), "cliente-b").status, 204);
  restart();
  EXPECT_EQ(metadata_of("cliente-a"),
            R"({"status":"success","data":{)"
            R"("lat":[{"type":"histogram","help":"how long","unit":"seconds"}],)"
            R"("up":[{"type":"gauge","help":"is \"there\"","unit":""}]}})");
  EXPECT_EQ(metadata_of("cliente-b"),
            R"({"status":"success","data":{"up":[{"type":"gauge","help":"of b","unit":""}]}})");
  EXPECT_EQ(metadata_of("", "?customer=cliente-b"), metadata_of("cliente-b"));
  EXPECT_EQ(metadata_of("nobody"), kNone);
  // Whoever asks for all has what each says.
  EXPECT_THAT(metadata_of(""),
              AllOf(HasSubstr("of b"), HasSubstr("is \\\"there"), HasSubstr("how long")));
}

// Of 1.0 it names nobody: without the header it is the provider's own, whatever stands beside it.
TEST_F(ServiceMetadataTest, WithoutTheHeaderItIsTheProviders) {
  EXPECT_EQ(write(series("up", "cliente-a", {{now_, 1}}) + said("up", 2, "of whom")).status, 204);
  settle();
  EXPECT_EQ(metadata_of("cliente-a"), kNone);
  EXPECT_THAT(metadata_of(""), HasSubstr("of whom"));
}

TEST_F(ServiceMetadataTest, OfASeriesItIsItsOwnersAndOnceForAllOfAFamily) {
  EXPECT_EQ(write_2({"lat_bucket", "lat_sum", "lat_count"}, "cliente-a", "how long").status, 204);
  EXPECT_EQ(service_metric("vigia_storage_metadata_received_total"), 1);
  settle();
  EXPECT_EQ(metadata_of("cliente-a"),
            R"({"status":"success","data":{"lat":[{"type":"histogram","help":"how long",)"
            R"("unit":"s"}]}})");
  // Not of a series that is refused.
  EXPECT_EQ(write_2({"other"}, "cliente-b", "foreign", "cliente-a").status, 400);
  settle();
  EXPECT_THAT(metadata_of(""), Not(HasSubstr("foreign")));
}

TEST_F(ServiceMetadataTest, WhatIsKnownIsNotWrittenAgain) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(write(said("up", 2, "is there"), "cliente-a").status, 204);
  EXPECT_EQ(service_metric("vigia_storage_metadata_received_total"), 5);
  EXPECT_EQ(service_metric("vigia_storage_metadata_written_total"), 1);
  EXPECT_EQ(service_metric("vigia_storage_metadata_known_total"), 4);
  EXPECT_EQ(write(said("up", 1, "is there"), "cliente-a").status, 204);
  EXPECT_THAT(metadata_of("cliente-a"), HasSubstr("counter"));
}

TEST_F(ServiceMetadataTest, WhatIsBadCostsItselfAlone) {
  const std::string long_help = std::string(store::kHelpBytesMax - 1, 'x') + "\u00f1";
  const auto answer =
      write(said("", 1, "no name") + said("bad\xff", 1, "x") + said("m1", 1, "\xff") +
                said("m2", 1, "x", std::string(store::kUnitBytesMax + 1, 'u')) +
                said(std::string(store::kMetricBytesMax + 1, 'm'), 1, "x") +
                said("long", 99, long_help) + series("up", "cliente-a", {{now_, 1}}),
            "cliente-a");
  EXPECT_EQ(answer.status, 204);
  settle();
  EXPECT_EQ(metadata_of("cliente-a"),
            R"({"status":"success","data":{"long":[{"type":"unknown","help":")" +
                std::string(store::kHelpBytesMax - 1, 'x') + R"(","unit":""}]}})");
  EXPECT_EQ(service_metric("vigia_storage_metadata_refused_total"), 5);
  EXPECT_EQ(service_metric("vigia_storage_metadata_cut_total"), 1);
  EXPECT_EQ(service_metric("vigia_storage_samples_stored_total"), 1);
}

// Some bytes of a request would become a hundred each.
TEST_F(ServiceMetadataTest, ARequestSaysSoMuchAndNoMore) {
  std::string message;
  for (std::size_t i = 0; i < api::kRequestMetadataMax + 50; ++i)
    message += said("m" + std::to_string(i), 1, "");
  EXPECT_EQ(write(message, "cliente-a").status, 204);
  EXPECT_EQ(service_metric("vigia_storage_metadata_received_total"), 20'050);
  EXPECT_EQ(service_metric("vigia_storage_metadata_refused_total"), 50);
  EXPECT_EQ(service_metric("vigia_storage_metadata_written_total"), 20'000);
}

TEST_F(ServiceMetadataTest, OneMetricAndLimits) {
  EXPECT_EQ(write(said("a", 1, "1") + said("ab", 1, "2") + said("b", 1, "3"), "cliente-a").status,
            204);
  EXPECT_EQ(write(said("a", 1, "of another"), "cliente-b").status, 204);
  const std::string a = R"("a":[{"type":"counter","help":"1","unit":""}])";
  EXPECT_EQ(metadata_of("cliente-a", "?metric=a"), R"({"status":"success","data":{)" + a + "}}");
  EXPECT_EQ(metadata_of("cliente-a", "?metric=none"), kNone);
  EXPECT_EQ(metadata_of("cliente-a", "?limit=1"),
            R"({"status":"success","data":{)" + a +
                R"(},"warnings":["results truncated due to limit"]})");
  EXPECT_THAT(metadata_of("cliente-a", "?limit=3"), Not(HasSubstr("warnings")));
  EXPECT_THAT(metadata_of("cliente-a", "?limit=-1&limit_per_metric=-1"), HasSubstr(R"("b":)"));
  EXPECT_THAT(metadata_of("", "?metric=a"), AllOf(HasSubstr(R"("1")"), HasSubstr("of another")));
  EXPECT_THAT(metadata_of("", "?metric=a&limit_per_metric=1"), Not(HasSubstr("of another")));
  for (const char* bad : {"?matcher=a%3Db", "?limit=x", "?limit_per_metric=1.5", "?start=1"})
    EXPECT_EQ(get(std::string("/api/v1/metadata") + bad, "cliente-a").status, 400) << bad;
  EXPECT_EQ(get("/api/v1/metadata?customer=cliente-b", "cliente-a").status, 400);
}

TEST_F(ServiceMetadataTest, PastHisMetricsACustomerHasSamplesAloneAndWithNoneNobodyHas) {
  settings_.metadata_max = 2;
  restart();
  EXPECT_EQ(write(said("a", 1, "1") + said("b", 1, "2") + said("c", 1, "3") +
                      series("up", "cliente-a", {{now_, 1}}),
                  "cliente-a")
                .status,
            204);
  EXPECT_EQ(write(said("c", 1, "of b"), "cliente-b").status, 204);
  EXPECT_THAT(metadata_of("cliente-a"), Not(HasSubstr(R"("c")")));
  EXPECT_THAT(metadata_of("cliente-b"), HasSubstr(R"("c")"));
  EXPECT_EQ(service_metric("vigia_storage_metadata_limited_total"), 1);
  settings_.metadata_max = 0;
  restart();
  EXPECT_EQ(write(said("d", 1, "x"), "cliente-b").status, 204);
  EXPECT_THAT(metadata_of("cliente-b"), AllOf(HasSubstr("of b"), Not(HasSubstr(R"("d")"))));
}

}  // namespace
}  // namespace vigia::storage
