#include "services/router/cache/kept_matrix.hpp"

#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "services/router/cache/series_order.hpp"

namespace vigia::router::cache {
namespace {

constexpr StepGrid kGrid{1'700'000'000'000, 60'000, 10};

std::string matrix_of(const std::string& series) {
  return R"({"resultType":"matrix","result":[)" + series + "]}";
}

std::string time_text(TimestampMs time_ms) {
  if (time_ms % 1'000 == 0) return std::to_string(time_ms / 1'000);
  return fmt::format("{}.{:03}", time_ms / 1'000, time_ms % 1'000);
}

/// Values at the steps from `begin` up to `end` that are in `steps`, as Prometheus writes them.
std::string list_of(const StepGrid& grid, const std::vector<std::string>& values,
                    std::uint32_t begin, std::uint32_t end) {
  std::string list;
  for (std::uint32_t i = begin; i < end; ++i) {
    if (values[i].empty()) continue;
    if (!list.empty()) list += ',';
    list += fmt::format("[{},{}]", time_text(grid.time(i)), values[i]);
  }
  return list;
}

/// One series, by its JSON of labels, with what it has at each step: "", a value or a histogram.
struct Row {
  std::string metric;
  std::vector<std::string> values;
  std::vector<std::string> histograms;
};

std::string data_of(const StepGrid& grid, const std::vector<Row>& rows, std::uint32_t begin,
                    std::uint32_t end) {
  std::string all;
  for (const Row& row : rows) {
    const std::string values = list_of(grid, row.values, begin, end);
    const std::string histograms = list_of(grid, row.histograms, begin, end);
    if (values.empty() && histograms.empty()) continue;
    if (!all.empty()) all += ',';
    all += R"({"metric":)" + row.metric;
    if (!values.empty()) all += R"(,"values":[)" + values + "]";
    if (!histograms.empty()) all += R"(,"histograms":[)" + histograms + "]";
    all += "}";
  }
  return matrix_of(all);
}

std::string joined(const KeptMatrix& kept, KeptMatrix::Stretch stretch, const std::string& rest) {
  std::string out;
  return kept.append_joined(stretch, rest, out) ? out : "refused";
}

TEST(KeptMatrix, IsPutTogetherToTheLetter) {
  const std::string whole = matrix_of(
      R"({"metric":{"__name__":"up","a":"x\"]}y"},"values":[[1700000000,"1"],[1700000060,"NaN"],[1700000180,"-1.5e-10"],[1700000540,"+Inf"]]},)"
      R"({"metric":{"__name__":"up","b":""},"histograms":[[1700000060,{"count":"3","sum":"4","buckets":[[0,"1","2","3"]]}],[1700000480,{"count":"1"}]]})");
  const auto kept = KeptMatrix::read(whole, kGrid, 0, 4);
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->grid().steps, 4U);
  const std::string rest =
      matrix_of(R"({"metric":{"__name__":"up","a":"x\"]}y"},"values":[[1700000540,"+Inf"]]},)"
                R"({"metric":{"__name__":"up","b":""},"histograms":[[1700000480,{"count":"1"}]]})");
  EXPECT_EQ(joined(*kept, {0, 4}, rest), whole);
  EXPECT_EQ(joined(*kept, {2, 3}, matrix_of("")), matrix_of(""));
  EXPECT_EQ(
      joined(*kept, {3, 4}, matrix_of("")),
      matrix_of(R"({"metric":{"__name__":"up","a":"x\"]}y"},"values":[[1700000180,"-1.5e-10"]]})"));
}

TEST(KeptMatrix, WhatIsNotAsPrometheusWritesItIsNotKept) {
  const std::string metric = R"({"metric":{"a":"b"},)";
  for (const std::string& bad : {
           std::string("{}"),
           std::string(R"({"resultType":"vector","result":[]})"),
           std::string(R"({"resultType":"matrix","result":[]},)"),
           matrix_of(" "),
           matrix_of(metric + R"("values":[[1700000000,1]]})"),
           matrix_of(metric + R"("values":[[1700000001,"1"]]})"),
           matrix_of(metric + R"("values":[[1699999940,"1"]]})"),
           matrix_of(metric + R"("values":[[1700000600,"1"]]})"),
           matrix_of(metric + R"("values":[[1700000060,"1"],[1700000000,"1"]]})"),
           matrix_of(metric + R"("values":[[1700000000,"1"],[1700000000,"1"]]})"),
           matrix_of(metric + R"("values":[[1700000000.0,"1"]]})"),
           matrix_of(metric + R"("values":[[17e8,"1"]]})"),
           matrix_of(metric + R"("values":[]})"),
           matrix_of(metric + R"("values":[[1700000000,"1"]],"x":1})"),
           matrix_of(metric + R"("values":[[1700000000,"1")"),
           // Out of Prometheus' order, or twice.
           matrix_of(metric + R"("values":[[1700000000,"1"]]},)" + metric +
                     R"("values":[[1700000000,"1"]]})"),
           matrix_of(R"({"metric":{"b":"a"},"values":[[1700000000,"1"]]},)" + metric +
                     R"("values":[[1700000000,"1"]]})"),
       }) {
    EXPECT_FALSE(KeptMatrix::read(bad, kGrid, 0, kGrid.steps).has_value()) << bad;
  }
}

TEST(KeptMatrix, WhatComesBehindItIsLookedAtAsWell) {
  const auto kept = KeptMatrix::read(matrix_of(""), kGrid, 0, 4);
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(joined(*kept, {0, 4}, R"({"resultType":"vector","result":[]})"), "refused");
  EXPECT_EQ(joined(*kept, {0, 4},
                   matrix_of(R"({"metric":{"b":""},"values":[[1700000540,"1"]]},)"
                             R"({"metric":{"a":""},"values":[[1700000540,"1"]]})")),
            "refused");
}

TEST(SeriesOrder, IsThatOfPrometheus) {
  const auto compare = [](const std::string& left, const std::string& right) {
    return compare_labels(*decode_labels(left), *decode_labels(right));
  };
  EXPECT_EQ(compare(R"({"a":"b"})", R"({"a":"b"})"), 0);
  EXPECT_LT(compare(R"({})", R"({"a":"b"})"), 0);
  EXPECT_LT(compare(R"({"a":"b"})", R"({"a":"b","c":"d"})"), 0);
  EXPECT_LT(compare(R"({"a":"b","c":"d"})", R"({"a":"c"})"), 0);
  EXPECT_LT(compare(R"({"a":"z"})", R"({"b":"a"})"), 0);
  EXPECT_LT(compare(R"({"a":"B"})", R"({"a":"b"})"), 0);
  EXPECT_LT(compare(R"({"a":"z"})", R"({"a":"\u00e9"})"), 0) << "by bytes, not by signs";
  EXPECT_LT(compare(R"({"a":"\n"})", R"({"a":"\""})"), 0) << "by what is meant, not by its text";
}

// Whatever is kept and however the rest is asked for: the two make what one answer would be.
TEST(KeptMatrix, AnyTwoPartsMakeTheWhole) {
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same each time
  const auto below = [&](std::uint32_t bound) {
    return static_cast<std::uint32_t>(random() % bound);
  };
  const std::vector<std::string> texts{"1", "0.25", "NaN", "-Inf", "12345678901234567"};
  for (int round = 0; round < 300; ++round) {
    const StepGrid grid{1'700'000'000'000 + below(3) * 500, below(2) == 0 ? 60'000 : 1'500,
                        2 + below(30)};
    std::vector<Row> rows;
    for (std::uint32_t i = 0, count = below(6); i < count; ++i) {
      Row row{fmt::format(R"({{"__name__":"m","s":"{}"}})", i), {}, {}};
      for (std::uint32_t step = 0; step < grid.steps; ++step) {
        const bool is_there = below(3) != 0;
        const bool is_histogram = i % 3 == 2 && below(2) == 0;
        row.values.push_back(is_there && !is_histogram
                                 ? "\"" + texts[below(static_cast<std::uint32_t>(texts.size()))] +
                                       "\""
                                 : "");
        row.histograms.push_back(is_there && is_histogram ? R"({"count":"1","sum":"]"})" : "");
      }
      rows.push_back(std::move(row));
    }
    const std::uint32_t kept_begin = below(grid.steps);
    const std::uint32_t kept_end = kept_begin + 1 + below(grid.steps - kept_begin);
    const auto kept =
        KeptMatrix::read(data_of(grid, rows, 0, grid.steps), grid, kept_begin, kept_end);
    ASSERT_TRUE(kept.has_value());
    const std::uint32_t begin = kept_begin + below(kept_end - kept_begin);
    const std::uint32_t end = begin + 1 + below(kept_end - begin);
    const std::string rest = data_of(grid, rows, end, grid.steps);
    EXPECT_EQ(joined(*kept, {begin - kept_begin, end - kept_begin}, rest),
              data_of(grid, rows, begin, grid.steps));
    EXPECT_LE(joined(*kept, {begin - kept_begin, end - kept_begin}, matrix_of("")).size(),
              kept->text_bytes());
  }
}

}  // namespace
}  // namespace vigia::router::cache
