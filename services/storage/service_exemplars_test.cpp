// Exemplars of remote write, kept and served over the network.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "services/storage/testing/service_fixture.hpp"

namespace vigia::storage {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kWritten = "x-prometheus-remote-write-exemplars-written";

class ServiceExemplarsTest : public ServiceFixture {
 protected:
  static std::string exemplar(const std::string& trace, double value, TimestampMs time_ms) {
    std::string bytes;
    wire::remote_write::append_exemplar(bytes, Labels::from({{"trace_id", trace}}),
                                        {time_ms, value});
    return bytes;
  }
  // One sample of now, with the exemplars.
  std::string sampled(const std::string& metric, const std::string& customer,
                      const std::string& exemplars) {
    const std::string labels = wire::remote_write::encode_labels(
        Labels::from({{"__name__", metric}, {"customer_id", customer}, {"node_id", "n1"}}));
    std::string message;
    wire::remote_write::append_sample(message, labels, {now_, 1}, exemplars);
    return message;
  }
  static std::size_t times_in(const std::string& text, std::string_view what) {
    std::size_t count = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
    return count;
  }
  std::string exemplars_of(const std::string& customer, const std::string& more = "") {
    return get("/api/v1/exemplars?matcher=node_id%3Dn1" + more, customer).body;
  }
};

TEST_F(ServiceExemplarsTest, AreKeptOverAStartAndGivenToTheirCustomerAlone) {
  const auto a =
      write(sampled("m", "cliente-a", exemplar("of a", 0.25, now_ - 1'234)), "cliente-a");
  EXPECT_EQ(a.status, 204);
  EXPECT_EQ(a.headers.get(kWritten), "1");
  EXPECT_EQ(write(sampled("m", "cliente-b", exemplar("of b", 7, now_)), "cliente-b").status, 204);
  restart();
  const std::string time = fmt::format("{}.{:03}", (now_ - 1'234) / 1000, (now_ - 1'234) % 1000);
  EXPECT_EQ(
      exemplars_of("cliente-a"),
      R"({"status":"success","data":[{"seriesLabels":{"__name__":"m","customer_id":"cliente-a",)"
      R"("node_id":"n1"},"exemplars":[{"labels":{"trace_id":"of a"},"value":"0.25","timestamp":)" +
          time + "}]}]}");
  EXPECT_THAT(exemplars_of("cliente-b"), AllOf(HasSubstr("of b"), Not(HasSubstr("of a"))));
  EXPECT_THAT(exemplars_of(""), AllOf(HasSubstr("of b"), HasSubstr("of a")));
}

TEST_F(ServiceExemplarsTest, ARepeatCountsAsWrittenAndIsThereOnce) {
  const std::string message = sampled("m", "cliente-a", exemplar("x", 1, now_));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(write(message, "cliente-a").headers.get(kWritten), "1");
  EXPECT_EQ(times_in(exemplars_of("cliente-a"), "trace_id"), 1U);
  EXPECT_EQ(service_metric("vigia_storage_exemplars_written_total"), 2);
}

// The sample beside it is stored, and the request is no error: a sender would drop all of it.
TEST_F(ServiceExemplarsTest, ABadOneCostsItselfAlone) {
  const std::string half(store::kExemplarCharactersMax / 2, 'x');
  const std::string nameless = [&] {
    std::string bytes;
    wire::remote_write::append_exemplar(bytes, Labels::from({{"", "v"}}), {now_, 1});
    return bytes;
  }();
  const auto answer =
      write(sampled("m", "cliente-a",
                    exemplar(half + half, 1, now_) + nameless + exemplar("\xff", 1, now_) +
                        exemplar("ahead", 1, now_ + 2 * store::kDayMs) +
                        exemplar("before 1970", 1, -1) + exemplar("\u00f1" + half, 1, now_)),
            "cliente-a");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.headers.get(kWritten), "1");
  EXPECT_THAT(exemplars_of("cliente-a"), AllOf(HasSubstr("\u00f1" + half), Not(HasSubstr("ahead")),
                                               Not(HasSubstr(half + half))));
  EXPECT_EQ(service_metric("vigia_storage_exemplars_received_total"), 6);
  EXPECT_EQ(service_metric("vigia_storage_exemplars_refused_total"), 5);
  EXPECT_EQ(service_metric("vigia_storage_samples_stored_total"), 1);
}

TEST_F(ServiceExemplarsTest, WhatIsOfAnotherCustomersSeriesIsNotKept) {
  const auto answer = write(sampled("m", "cliente-b", exemplar("x", 1, now_)), "cliente-a");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.headers.get(kWritten), "0");
  EXPECT_THAT(exemplars_of(""), HasSubstr(R"("data":[])"));
}

TEST_F(ServiceExemplarsTest, RangeAndLimitAreOfExemplars) {
  EXPECT_EQ(write(sampled("m", "cliente-a",
                          exemplar("first", 1, now_ - 2'000) + exemplar("second", 2, now_ - 1'000) +
                              exemplar("third", 3, now_)),
                  "cliente-a")
                .status,
            204);
  const auto seconds = [](TimestampMs time_ms) {
    return fmt::format("{}.{:03}", time_ms / 1000, time_ms % 1000);
  };
  const std::string middle = exemplars_of(
      "cliente-a", "&start=" + seconds(now_ - 1'000) + "&end=" + seconds(now_ - 1'000));
  EXPECT_THAT(middle, AllOf(HasSubstr("second"), Not(HasSubstr("first")), Not(HasSubstr("third"))));
  EXPECT_THAT(exemplars_of("cliente-a", "&limit=2"),
              AllOf(HasSubstr("second"), Not(HasSubstr("third")), HasSubstr("truncated")));
  EXPECT_THAT(exemplars_of("cliente-a", "&limit=3"), Not(HasSubstr("warnings")));
  // Of several sets of matchers each series comes once.
  EXPECT_EQ(times_in(exemplars_of("cliente-a", "&next=1&matcher=__name__%3Dm"), "third"), 1U);
}

TEST_F(ServiceExemplarsTest, ASeriesOfExemplarsAloneIsFoundAndHasNoSamples) {
  const std::string labels = wire::remote_write::encode_labels(
      Labels::from({{"__name__", "lone"}, {"customer_id", "cliente-a"}, {"node_id", "n1"}}));
  std::string lone;
  protozero::pbf_writer(lone).add_message(1, labels + exemplar("x", 1, now_));
  EXPECT_EQ(write(series("other", "cliente-a", {{now_, 1}}), "cliente-a").status, 204);
  const auto answer = write(lone, "cliente-a");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.headers.get(kWritten), "1");
  EXPECT_THAT(exemplars_of("cliente-a"), HasSubstr("lone"));
  EXPECT_THAT(read({{MatchType::kNotEqual, "node_id", ""}}, "cliente-a"),
              AllOf(HasSubstr("other"), Not(HasSubstr("lone"))));
  EXPECT_EQ(service_metric("vigia_storage_open_series"), 1);
}

// The time is a customer's to choose; so far from its sample it says nothing, and would make a day
// of the index on which its series had none.
TEST_F(ServiceExemplarsTest, OneThatIsFarFromTheSamplesOfItsSeriesIsNotKept) {
  const auto answer = write(sampled("m", "cliente-a",
                                    exemplar("far", 1, now_ - store::kDayMs - 60'000) +
                                        exemplar("near", 1, now_ - store::kDayMs + 60'000)),
                            "cliente-a");
  EXPECT_EQ(answer.headers.get(kWritten), "1");
  EXPECT_THAT(exemplars_of("cliente-a"), AllOf(HasSubstr("near"), Not(HasSubstr("far"))));
}

TEST_F(ServiceExemplarsTest, PastItsAllowanceACustomerHasSamplesAlone) {
  settings_.exemplars_per_minute = 3;
  restart();
  std::string some;
  for (int i = 0; i < 10; ++i) some += exemplar("t" + std::to_string(i), i, now_ + i);
  const auto a = write(sampled("m", "cliente-a", some), "cliente-a");
  EXPECT_EQ(a.status, 204);
  EXPECT_EQ(a.headers.get(kWritten), "3");
  EXPECT_EQ(
      write(sampled("m", "cliente-b", exemplar("b", 1, now_)), "cliente-b").headers.get(kWritten),
      "1");
  EXPECT_EQ(times_in(exemplars_of("cliente-a"), "trace_id"), 3U);
  EXPECT_EQ(service_metric("vigia_storage_exemplars_limited_total"), 7);
  settings_.exemplars_per_minute = 0;
  restart();
  const auto none = write(sampled("m", "cliente-a", exemplar("t", 1, now_ + 99)), "cliente-a");
  EXPECT_EQ(none.status, 204);
  EXPECT_EQ(none.headers.get(kWritten), "0");
  EXPECT_EQ(times_in(exemplars_of("cliente-a"), "trace_id"), 3U);
}

TEST_F(ServiceExemplarsTest, AQuestionWithoutAMatcherIsRefused) {
  EXPECT_EQ(get("/api/v1/exemplars", "cliente-a").status, 400);
  EXPECT_EQ(get("/api/v1/exemplars?matcher=a%3Db&query=up", "cliente-a").status, 400);
}

}  // namespace
}  // namespace vigia::storage
