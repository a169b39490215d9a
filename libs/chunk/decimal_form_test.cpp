#include "libs/chunk/decimal_form.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace vigia::chunk {
namespace {

std::vector<Sample> samples_of(const std::vector<double>& values) {
  std::vector<Sample> samples;
  for (const double value : values) {
    samples.push_back({static_cast<TimestampMs>(samples.size()), value});
  }
  return samples;
}

struct Case {
  std::vector<double> values;
  DecimalForm form;
  Numbers numbers;
};

class DecimalFormTest : public testing::TestWithParam<Case> {};

// The values are those of node_exporter 1.5 and of Prometheus: how they were made is in its source.
const Case kCases[] = {
    {{3, 4, 0}, {0, Making::kDivided}, {3, 4, 0}},
    {{349857.25, 1.5}, {2, Making::kDivided}, {34'985'725, 150}},
    // node_scrape_collector_duration_seconds
    {{2.0672e-05, 0, 0.000378801}, {9, Making::kDivided}, {20'672, 0, 378'801}},
    // node_disk_io_time_weighted_seconds_total: milliseconds × 0.001
    {{3076.165, 3082.0860000000002}, {3, Making::kMultiplied}, {3'076'165, 3'082'086}},
    // node_pressure_io_waiting_seconds_total: microseconds / 1000 / 1000
    {{399.35319599999997, 399.812558}, {6, Making::kDividedTwice}, {399'353'196, 399'812'558}},
    // go_gc_duration_seconds_sum: whole seconds and nanoseconds / 1e9
    {{14.439800697999999, 15.711129421999999, 569.7932016889999},
     {9, Making::kInTwoParts},
     {14'439'800'698, 15'711'129'422, 569'793'201'689}},
    // node_time_seconds: of this size doubles have seven digits behind the point
    {{1796009647.3619828, 1796009662.3600895},
     {7, Making::kDivided},
     {17'960'096'473'619'828, 17'960'096'623'600'896}},
};

TEST_P(DecimalFormTest, IsFoundWithTheWholeNumbers) {
  const Case& wanted = GetParam();
  const auto found = find_form(samples_of(wanted.values));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->first, wanted.form) << found->first.decimals;
  EXPECT_EQ(found->second, wanted.numbers);
}

INSTANTIATE_TEST_SUITE_P(All, DecimalFormTest, testing::ValuesIn(kCases));

TEST(DecimalForm, WhatHasNoneIsFoundBehindZerosToo) {
  for (const double value : {-0.0, std::nan(""), std::numeric_limits<double>::infinity(), 1.0 / 3.0,
                             1e300, 9'223'372'036'854'775'808.0, std::nextafter(0.7, 0.0)}) {
    EXPECT_FALSE(find_form(samples_of({0, 0, value, 0})).has_value()) << value;
  }
}

}  // namespace
}  // namespace vigia::chunk
