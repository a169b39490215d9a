// Each policy, by what upstream's README and sources say that it means.
#include "services/collector/tail_sampling/policy.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "services/collector/tail_sampling/span_look.hpp"
#include "services/collector/tail_sampling/testing/spans.hpp"

namespace vigia::collector::tail_sampling {
namespace {

constexpr TimePoint kNow{std::chrono::hours(1)};

/// A trace under construction, and what a list of policies says of it.
class PolicyTest : public ::testing::Test {
 protected:
  Span& span(bool is_error = false) { return add_span(request_, 7, ++spans_, is_error); }
  void attribute(Span& span, const std::string& key, const std::string& text) {
    auto* entry = span.add_attributes();
    entry->set_key(key);
    entry->mutable_value()->set_string_value(text);
  }
  opentelemetry::proto::common::v1::AnyValue& attribute(Span& span, const std::string& key) {
    auto* entry = span.add_attributes();
    entry->set_key(key);
    return *entry->mutable_value();
  }
  void resource_attribute(const std::string& key, const std::string& text) {
    if (request_.resource_spans_size() == 0) request_.add_resource_spans();
    auto* entry = request_.mutable_resource_spans(0)->mutable_resource()->add_attributes();
    entry->set_key(key);
    entry->mutable_value()->set_string_value(text);
  }
  bool keeps(const std::string& policies) {
    const Policies read = settings_of("{policies: [" + policies + "]}").policies;
    TraceFacts facts;
    const auto looked =
        look_at_spans(request_.SerializeAsString(), read.conditions,
                      [&facts](std::uint32_t, const TraceId& id, const TraceFacts& one) {
                        EXPECT_EQ(id, trace(7));
                        facts.add(one);
                      });
    EXPECT_TRUE(looked);
    auto levels = read.full_levels(kNow);
    return is_kept(read, trace(7), facts, levels, kNow);
  }

  SpansRequest request_;
  std::uint64_t spans_ = 0;
};

constexpr const char* kErrors =
    "{name: e, type: status_code, status_code: {status_codes: [ERROR]}}";

TEST_F(PolicyTest, StatusCodeKeepsATraceOfWhichOneSpanHasIt) {
  span();
  EXPECT_FALSE(keeps(kErrors));
  EXPECT_TRUE(keeps("{name: u, type: status_code, status_code: {status_codes: [OK, UNSET]}}"));
  span(true);
  EXPECT_TRUE(keeps(kErrors));
  EXPECT_FALSE(keeps("{name: o, type: status_code, status_code: {status_codes: [OK]}}"));
}

TEST_F(PolicyTest, LatencyIsFromTheEarliestStartToTheLatestEnd) {
  span().set_end_time_unix_nano(1'400'000'000);
  Span& second = span();
  second.set_start_time_unix_nano(1'900'000'000);
  second.set_end_time_unix_nano(2'000'000'000);
  EXPECT_TRUE(keeps("{name: l, type: latency, latency: {threshold_ms: 1000}}"));
  EXPECT_FALSE(keeps("{name: l, type: latency, latency: {threshold_ms: 1001}}"));
  EXPECT_TRUE(
      keeps("{name: l, type: latency, latency: {threshold_ms: 999, upper_threshold_ms: 1000}}"));
  EXPECT_FALSE(
      keeps("{name: l, type: latency, latency: {threshold_ms: 1000, upper_threshold_ms: 2000}}"));
  EXPECT_FALSE(
      keeps("{name: l, type: latency, latency: {threshold_ms: 10, upper_threshold_ms: 999}}"));
}

TEST_F(PolicyTest, LatencyOfASpanThatEndsBeforeItBeginsIsNotLong) {
  span().set_end_time_unix_nano(5);
  EXPECT_FALSE(keeps("{name: l, type: latency, latency: {threshold_ms: 1}}"));
}

TEST_F(PolicyTest, StringAttributeLooksAtSpansAndResources) {
  attribute(span(), "http.route", "/cart");
  const auto policy = [](const std::string& rest) {
    return "{name: s, type: string_attribute, string_attribute: {" + rest + "}}";
  };
  EXPECT_TRUE(keeps(policy("key: http.route, values: [/pay, /cart]")));
  EXPECT_FALSE(keeps(policy("key: http.route, values: [/car]")));
  EXPECT_FALSE(keeps(policy("key: route, values: [/cart]")));
  EXPECT_TRUE(keeps(policy("key: http.route, values: [ar], enabled_regex_matching: true")));
  EXPECT_FALSE(keeps(policy("key: http.route, values: [^ar], enabled_regex_matching: true")));
  resource_attribute("service.name", "shop");
  EXPECT_TRUE(keeps(policy("key: service.name, values: [shop]")));
}

TEST_F(PolicyTest, AnInvertedMatchKeepsAllButWhatMatchesAndOverrulesOthers) {
  attribute(span(), "http.route", "/health");
  const std::string policy =
      "{name: s, type: string_attribute, string_attribute: {key: http.route, values: [/health], "
      "invert_match: true}}";
  EXPECT_FALSE(keeps(policy));
  EXPECT_FALSE(keeps(policy + ", {name: a, type: always_sample}"));
  request_.Clear();
  attribute(span(), "http.route", "/cart");
  EXPECT_TRUE(keeps(policy));
  // "inverted sample" counts where nobody says no.
  EXPECT_FALSE(keeps(policy + ", " + kErrors));
}

TEST_F(PolicyTest, NumericAttributeIsBetweenItsBounds) {
  attribute(span(), "code").set_int_value(404);
  const auto policy = [](const std::string& rest) {
    return "{name: n, type: numeric_attribute, numeric_attribute: {key: code, " + rest + "}}";
  };
  EXPECT_TRUE(keeps(policy("min_value: 404, max_value: 404")));
  EXPECT_TRUE(keeps(policy("min_value: 400")));
  EXPECT_TRUE(keeps(policy("max_value: 500")));
  EXPECT_FALSE(keeps(policy("min_value: 405, max_value: 500")));
  EXPECT_FALSE(keeps(policy("min_value: 400, invert_match: true")));
  request_.Clear();
  attribute(span(), "code", "404");
  EXPECT_FALSE(keeps(policy("min_value: 0"))) << "a text is no number";
}

TEST_F(PolicyTest, BooleanAttributeHasItsValue) {
  attribute(span(), "debug").set_bool_value(true);
  EXPECT_TRUE(
      keeps("{name: b, type: boolean_attribute, boolean_attribute: {key: debug, value: true}}"));
  EXPECT_FALSE(
      keeps("{name: b, type: boolean_attribute, boolean_attribute: {key: debug, value: false}}"));
}

TEST_F(PolicyTest, SpanCountHasInclusiveBounds) {
  for (int i = 0; i < 3; ++i) span();
  EXPECT_TRUE(keeps("{name: c, type: span_count, span_count: {min_spans: 3}}"));
  EXPECT_TRUE(keeps("{name: c, type: span_count, span_count: {min_spans: 1, max_spans: 3}}"));
  EXPECT_FALSE(keeps("{name: c, type: span_count, span_count: {min_spans: 4}}"));
  EXPECT_FALSE(keeps("{name: c, type: span_count, span_count: {max_spans: 2}}"));
}

TEST_F(PolicyTest, AndWantsAllOfItsPartsAndDropOverrulesAll) {
  Span& one = span(true);
  attribute(one, "http.route", "/health");
  const std::string health =
      "{name: h, type: string_attribute, string_attribute: {key: http.route, values: [/health]}}";
  const std::string slow = "{name: l, type: latency, latency: {threshold_ms: 1000}}";
  EXPECT_TRUE(keeps(
      fmt::format("{{name: a, type: and, and: {{and_sub_policy: [{}, {}]}}}}", kErrors, health)));
  EXPECT_FALSE(keeps(
      fmt::format("{{name: a, type: and, and: {{and_sub_policy: [{}, {}]}}}}", kErrors, slow)));
  const auto drop = [](const std::string& part) {
    return fmt::format("{{name: d, type: drop, drop: {{drop_sub_policy: [{}]}}}}", part);
  };
  EXPECT_FALSE(keeps(std::string(kErrors) + ", " + drop(health)));
  EXPECT_TRUE(keeps(std::string(kErrors) + ", " + drop(slow)));
}

// The hash and its bound are upstream's (FNV-1a, 64 bits, of salt and id): reckoned apart from it.
TEST(ProbabilisticPolicy, KeepsItsShareAndTheSameTracesEverywhere) {
  const auto kept_by = [](const std::string& keys) {
    const Policies read =
        settings_of("{policies: [{name: p, type: probabilistic, probabilistic: {" + keys + "}}]}")
            .policies;
    std::vector<RateLevel> none;
    std::vector<bool> kept;
    for (std::uint64_t number = 0; number < 20'000; ++number)
      kept.push_back(is_kept(read, trace(number * 0x9e3779b97f4a7c15ULL), {}, none, kNow));
    return kept;
  };
  const auto share = [](const std::vector<bool>& kept) {
    return static_cast<double>(std::count(kept.begin(), kept.end(), true)) / 20'000.0;
  };
  EXPECT_NEAR(share(kept_by("sampling_percentage: 10")), 0.1, 0.01);
  EXPECT_EQ(share(kept_by("sampling_percentage: 100")), 1.0);
  EXPECT_EQ(share(kept_by("sampling_percentage: 0")), 0.0);
  EXPECT_EQ(kept_by("sampling_percentage: 10"),
            kept_by("sampling_percentage: 10, hash_salt: default-hash-seed"));
  EXPECT_NE(kept_by("sampling_percentage: 10"), kept_by("sampling_percentage: 10, hash_salt: x"));
}

TEST(RatePolicy, TakesBySteadySecondsAndNeverMoreThanItsBurst) {
  const Policies read =
      settings_of(
          "{policies: [{name: r, type: rate_limiting, rate_limiting: {spans_per_second: 10}}]}")
          .policies;
  auto levels = read.full_levels(kNow);
  const TraceFacts five{.spans = 5};
  int kept = 0;
  for (int i = 0; i < 10; ++i) kept += is_kept(read, trace(1), five, levels, kNow) ? 1 : 0;
  EXPECT_EQ(kept, 4) << "a burst is two seconds' worth";
  EXPECT_FALSE(is_kept(read, trace(1), {.spans = 21}, levels, kNow + std::chrono::hours(1)));
  EXPECT_TRUE(is_kept(read, trace(1), {.spans = 20}, levels, kNow + std::chrono::hours(1)));
  EXPECT_TRUE(is_kept(read, trace(1), five, levels, kNow + std::chrono::milliseconds(3'600'500)));
  EXPECT_FALSE(is_kept(read, trace(1), five, levels, kNow + std::chrono::milliseconds(3'600'900)));
}

TEST(FirstMatch, LeavesARateBehindItAlone) {
  const std::string list =
      "policies: [{name: a, type: always_sample}, {name: r, type: rate_limiting, rate_limiting: "
      "{spans_per_second: 1}}]";
  for (const bool takes_first : {false, true}) {
    const Policies read =
        settings_of(fmt::format("{{sample_on_first_match: {}, {}}}", takes_first, list)).policies;
    auto levels = read.full_levels(kNow);
    EXPECT_TRUE(is_kept(read, trace(1), {.spans = 2}, levels, kNow));
    EXPECT_EQ(levels.at(0).spans, takes_first ? 2 : 0);
  }
}

}  // namespace
}  // namespace vigia::collector::tail_sampling
