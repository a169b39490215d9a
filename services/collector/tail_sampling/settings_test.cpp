#include "services/collector/tail_sampling/settings.hpp"

#include <gmock/gmock.h>

#include "services/collector/tail_sampling/testing/spans.hpp"

namespace vigia::collector::tail_sampling {
namespace {

using ::testing::HasSubstr;

std::string error_of(const std::string& yaml, const std::set<Signal>& signals = {Signal::kTraces}) {
  auto file = service::ConfigFile::parse("tail_sampling: " + yaml, "test.yaml");
  EXPECT_TRUE(file) << file.error().message;
  config::Notes notes;
  read_tail_sampling(file->root().child("tail_sampling"), signals, notes);
  const auto finished = file->finish();
  return finished ? "" : finished.error().message;
}

constexpr const char* kAlways = "policies: [{name: a, type: always_sample}]";

TEST(TailSamplingSettings, AreUpstreamsWhereNothingIsSaid) {
  const auto settings = settings_of(std::string("{") + kAlways + "}");
  EXPECT_EQ(settings.decision_wait, std::chrono::seconds(30));
  EXPECT_EQ(settings.num_traces, 50'000U);
  EXPECT_EQ(settings.remembered, 50'000U);
}

TEST(TailSamplingSettings, TakeUpstreamsKeys) {
  const auto settings = settings_of(R"({
    decision_wait: 10s, num_traces: 100, expected_new_traces_per_sec: 10,
    decision_cache: {sampled_cache_size: 1000, non_sampled_cache_size: 2000},
    policies: [{name: a, type: and, and: {and_sub_policy: [
      {name: s, type: string_attribute,
       string_attribute: {key: k, values: [v], cache_max_size: 10}},
      {name: r, type: rate_limiting, rate_limiting: {spans_per_second: 35}}]}}]})");
  EXPECT_EQ(settings.decision_wait, std::chrono::seconds(10));
  EXPECT_EQ(settings.num_traces, 100U);
  EXPECT_EQ(settings.remembered, 3000U);
  EXPECT_EQ(settings.policies.rates, 1U);
  EXPECT_EQ(settings.policies.list.at(0).parts.size(), 2U);
}

TEST(TailSamplingSettings, WhatCannotBeIsAnErrorWithItsPlace) {
  EXPECT_THAT(error_of("{}"), HasSubstr("policies"));
  EXPECT_THAT(error_of("{policies: [{name: a, type: composite, composite: {policy_order: [x]}}]}"),
              HasSubstr("\"composite\" is not a policy of this collector"));
  EXPECT_THAT(
      error_of("{policies: [{name: a, type: ottl_condition, ottl_condition: {span: [x]}}]}"),
      HasSubstr("\"ottl_condition\""));
  EXPECT_THAT(
      error_of("{policies: [{name: a, type: status_code, status_code: {status_codes: [BAD]}}]}"),
      HasSubstr("\"BAD\" is not OK, ERROR or UNSET"));
  EXPECT_THAT(error_of("{policies: [{name: a, type: string_attribute, string_attribute: {key: k, "
                       "values: ['('], enabled_regex_matching: true}}]}"),
              HasSubstr("no regular expression"));
  EXPECT_THAT(error_of("{policies: [{name: a, type: latency, latency: {treshold_ms: 5}}]}"),
              HasSubstr("treshold_ms"));
  EXPECT_THAT(error_of(std::string("{drop_pending_traces_on_shutdown: true, ") + kAlways + "}"),
              HasSubstr("drop_pending_traces_on_shutdown"));
  EXPECT_THAT(error_of(std::string("{decision_wait_after_root_received: 1s, ") + kAlways + "}"),
              HasSubstr("decision_wait_after_root_received"));
  EXPECT_THAT(error_of(std::string("{") + kAlways + "}", {Signal::kLogs}),
              HasSubstr("samples traces"));
}

}  // namespace
}  // namespace vigia::collector::tail_sampling
