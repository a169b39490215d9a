// Folders that earlier versions of the program left (tests/golden/cold_store/README.md) are read,
// and what is in them is known again.
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/api/event_api.hpp"
#include "services/storage/histograms/native_histogram.hpp"
#include "services/storage/read/testing/read_series.hpp"
#include "services/storage/store/rocksdb/index/index_key.hpp"
#include "services/storage/testing/storage_fixture.hpp"

namespace vigia::storage {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr TimestampMs kStep = 15'000;
const std::string kFolder = "tests/golden/cold_store/v2";

std::string file_bytes(const std::string& name) {
  std::ifstream file(kFolder + "/" + name, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

class GoldenFolderTest : public testing::Test {
 protected:
  std::map<TimestampMs, double> golden(const std::string& series) {
    std::map<TimestampMs, double> values;
    const auto matchers = store::compile_matchers({{MatchType::kEqual, "series", series}});
    lanes::AnswerMemory memory(storage_.answers(), "");
    const auto all_days = [](const CustomerId&) { return store::kAllDays; };
    const auto found = read::select_series(storage_.cold().catalog(),
                                           {std::nullopt, *matchers, all_days, 10}, memory)
                           .value();
    for (const read::SelectedSeries& one : found) {
      const auto data =
          read::read_series(storage_.reader(), one.customer, read::key_of(one), memory).value();
      const auto samples = read::samples_of(data.chunks, 0, INT64_MAX).value();
      for (const Sample& sample : samples) {
        values.emplace(sample.timestamp_ms, sample.value);
      }
    }
    return values;
  }
  store::EventCounts write_again(Signal signal, const std::string& file) {
    const CustomerId customer = CustomerId::parse("cliente-a").value();
    return storage_.cold().events().write(customer, signal, file_bytes(file)).value();
  }

  StorageFixture storage_{kFolder + "/store"};
};

TEST_F(GoldenFolderTest, SamplesOfVersion2AreThere) {
  for (int series = 0; series < 3; ++series) {
    const auto values = golden(std::to_string(series));
    EXPECT_EQ(values.size(), series == 0 ? 602U : 600U);
    for (int i = 0; i < 600; ++i) EXPECT_EQ(values.at(kNow + i * kStep), (series * 1000 + i) / 4.0);
  }
  EXPECT_EQ(golden("0").at(kNow + 7'000), 0.5);
  EXPECT_EQ(golden("0").at(kNow - store::kDayMs), -1);
  EXPECT_EQ(*storage_.store()
                 .get(store::rocksdb::kv::Family::kIndex, store::rocksdb::index::index_key::kFormat)
                 .value(),
            "vigia cold store 7");
}

// It noted no days of label values, and nobody can tell them any more.
TEST_F(GoldenFolderTest, LabelValuesOfVersion2AreGivenForEveryRange) {
  const CustomerId customer = CustomerId::parse("cliente-a").value();
  for (const store::DayRange& days : {store::DayRange{0, 1}, store::kAllDays}) {
    const auto page = storage_.cold().catalog().label_values(customer, "series", {days, ""}, {});
    EXPECT_THAT(page.value().texts, testing::ElementsAre("0", "1", "2"));
  }
}

TEST_F(GoldenFolderTest, SpansAndLogRecordsOfVersion2AreThereAndKnownAgain) {
  EXPECT_EQ(write_again(Signal::kTraces, "spans.bin").repeats, 3U);
  EXPECT_EQ(write_again(Signal::kLogs, "logs.bin").repeats, 3U);
  const api::EventApi api(storage_.cold().events(), storage_.cold().catalog(), storage_.answers());
  net::Request request;
  request.headers.add("x-vigia-customer", "cliente-a");
  EXPECT_THAT(api.trace(request, "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a").body,
              AllOf(HasSubstr("golden-1"), HasSubstr("golden-3"), HasSubstr("shop"),
                    HasSubstr("otel.scope.name")));
  request.query = "start=1764043200&end=1764043201";
  EXPECT_THAT(api.logs(request).body,
              AllOf(HasSubstr("golden one"), HasSubstr("golden two"), HasSubstr("shop")));
}

std::vector<chunk::HistogramSample> histograms_of(StorageFixture& storage, const char* kind) {
  const auto matchers = store::compile_matchers({{MatchType::kEqual, "kind", kind}});
  lanes::AnswerMemory memory(storage.answers(), "");
  const auto all_days = [](const CustomerId&) { return store::kAllDays; };
  const auto found =
      read::select_series(storage.cold().catalog(), {std::nullopt, *matchers, all_days, 10}, memory)
          .value();
  EXPECT_EQ(found.size(), 1U);
  return read::read_series(storage.reader(), found.front().customer, read::key_of(found.front()),
                           memory)
      .value()
      .histograms;
}

// Version 5 kept native histograms as the messages in which they came.
TEST(GoldenFolders, HistogramsOfBeforeTheirChunksAreReadBesideThem) {
  StorageFixture storage("tests/golden/cold_store/v5-histograms/store");
  for (const bool is_float : {false, true}) {
    const auto data = histograms_of(storage, is_float ? "float" : "integer");
    ASSERT_EQ(data.size(), 138U);
    EXPECT_EQ(data.front().timestamp_ms, kNow - store::kDayMs);
    std::size_t in_order = 0;
    for (const chunk::HistogramSample& sample : data) {
      const auto histogram = histograms::sound_histogram(sample.encoded).value();
      EXPECT_EQ(histogram.is_float, is_float);
      if (sample.timestamp_ms < kNow || (sample.timestamp_ms - kNow) % kStep != 0) continue;
      EXPECT_EQ(histogram.sum, static_cast<double>(in_order++) / 4);
    }
    EXPECT_EQ(in_order, 130U);
  }
}

// Neither version 2 nor 3 had an index of spans: it is made when a search asks for their day.
TEST(GoldenFolders, SpansOfBeforeTheIndexAreFoundByTheirService) {
  for (const char* version : {"v2", "v3", "v4"}) {
    StorageFixture storage(std::string("tests/golden/cold_store/") + version + "/store");
    const CustomerId customer = CustomerId::parse("cliente-a").value();
    store::TraceQuery query;
    query.to_ns = UINT64_MAX;
    query.service = "shop";
    query.operation = "golden-1";
    std::size_t found = 0;
    const auto visit = [&](const store::TracePlace& place) {
      EXPECT_EQ(place.trace_id, std::string(store::kTraceIdBytes, '\x0a'));
      return ++found > 0;
    };
    const store::WorkLimit unlimited;
    for (int times = 1; times <= 2; ++times) {
      ASSERT_TRUE(storage.cold().events().find_traces(customer, query, visit, unlimited)->is_whole);
      EXPECT_EQ(found, static_cast<std::size_t>(times)) << version;
    }
    const auto services = storage.cold().events().services(customer, {}, unlimited);
    EXPECT_THAT(services->texts, testing::ElementsAre("shop")) << version;
  }
}

// Nor had version 4 one of log records by stream: its days are walked.
TEST(GoldenFolders, LogRecordsOfBeforeTheIndexAreFoundByTheirStream) {
  for (const char* version : {"v2", "v3", "v4"}) {
    StorageFixture storage(std::string("tests/golden/cold_store/") + version + "/store");
    const CustomerId customer = CustomerId::parse("cliente-a").value();
    for (const auto& [service, wanted] : {std::pair("shop", 3), std::pair("bank", 0)}) {
      const auto stream =
          store::compile_matchers({{MatchType::kEqual, "service_name", service}}).value();
      store::LogQuery query{0, UINT64_MAX};
      query.stream = &stream;
      int found = 0;
      const auto visit = [&](const store::LogRecordView&) { return ++found > 0; };
      const store::WorkLimit unlimited;
      EXPECT_TRUE(storage.cold().events().read_logs(customer, query, visit, unlimited)->is_whole);
      EXPECT_EQ(found, wanted) << version;
    }
  }
}

std::vector<Sample> samples_of(StorageFixture& storage, const char* customer,
                               const std::string& series) {
  const CustomerId id = CustomerId::parse(customer).value();
  const auto matchers = store::compile_matchers({{MatchType::kEqual, "series", series}});
  lanes::AnswerMemory memory(storage.answers(), "");
  const auto all_days = [](const CustomerId&) { return store::kAllDays; };
  const auto found =
      read::select_series(storage.cold().catalog(), {id, *matchers, all_days, 10}, memory).value();
  EXPECT_EQ(found.size(), 1U);
  const auto data =
      read::read_series(storage.reader(), id, read::key_of(found.front()), memory).value();
  return read::samples_of(data.chunks, 0, INT64_MAX).value();
}

// What its forms of values could not pack lay as XOR chunks.
TEST(GoldenFolders, ChunksOfVersion5AreRead) {
  StorageFixture storage("tests/golden/cold_store/v5/store");
  const auto value_of = [](int series, int i) {
    if (series == 0) return (20'000 + i * 7'919 % 40'009) / 1e9;
    if (series == 1) return (3'076'165 + i * 2'000 + i * 7'919 % 1'009) * 0.001;
    return (399'353'196 + i * 4'000 + i * 7'919 % 3'001) / 1000.0 / 1000.0;
  };
  for (int series = 0; series < 3; ++series) {
    const auto samples = samples_of(storage, "cliente-a", std::to_string(series));
    ASSERT_EQ(samples.size(), 600U);
    for (int i = 0; i < 600; ++i) EXPECT_EQ(samples.at(i).value, value_of(series, i)) << i;
  }
}

// Of the present version, so that the next one has something to migrate.
class Version7 : public testing::Test {
 protected:
  StorageFixture storage_{"tests/golden/cold_store/v7/store"};
  const CustomerId a_ = CustomerId::parse("cliente-a").value();
  const store::WorkLimit unlimited_;
};

TEST_F(Version7, ItsSamplesAreThere) {
  for (int series = 0; series < 3; ++series) {
    const auto samples = samples_of(storage_, "cliente-a", std::to_string(series));
    ASSERT_EQ(samples.size(), series == 0 ? 602U : 600U);
    for (const Sample& sample : samples) {
      if (sample.timestamp_ms < kNow || (sample.timestamp_ms - kNow) % kStep != 0) continue;
      const auto i = static_cast<double>((sample.timestamp_ms - kNow) / kStep);
      EXPECT_EQ(sample.value, (series * 1000 + i) / 4) << i;
    }
  }
  const auto durations = samples_of(storage_, "cliente-a", "durations");
  ASSERT_EQ(durations.size(), 600U);
  for (int i = 0; i < 600; ++i) {
    EXPECT_EQ(durations.at(i).value, (20'000 + i * 7'919 % 40'009) / 1e9) << i;
  }
  const auto of_another = samples_of(storage_, "cliente-b", "0");
  ASSERT_EQ(of_another.size(), 1U);
  EXPECT_EQ(of_another[0].value, 42);
}

TEST_F(Version7, ItsHistogramsAreThere) {
  for (const bool is_float : {false, true}) {
    const auto data = histograms_of(storage_, is_float ? "float" : "integer");
    EXPECT_EQ(data.size(), 138U);
    std::size_t in_order = 0;
    for (const chunk::HistogramSample& sample : data) {
      const auto histogram = histograms::sound_histogram(sample.encoded).value();
      EXPECT_EQ(histogram.is_float, is_float);
      if (sample.timestamp_ms < kNow || (sample.timestamp_ms - kNow) % kStep != 0) continue;
      const auto count = static_cast<double>(1 + 2 * in_order++ + 3);  // zero, and two buckets
      EXPECT_EQ(is_float ? histogram.float_count : static_cast<double>(histogram.count), count);
    }
    EXPECT_EQ(in_order, 130U);
  }
}

TEST_F(Version7, ItsSpansRecordsExemplarsAndMetadataAreThere) {
  std::size_t spans = 0;
  const auto count = [&](const store::TracePlace&) { return ++spans > 0; };
  store::TraceQuery traces;
  traces.to_ns = UINT64_MAX;
  traces.service = "shop";
  ASSERT_TRUE(storage_.cold().events().find_traces(a_, traces, count, unlimited_)->is_whole);
  EXPECT_EQ(spans, 1U);
  const auto stream = store::compile_matchers({{MatchType::kEqual, "service_name", "shop"}});
  store::LogQuery logs{0, UINT64_MAX};
  logs.stream = &*stream;
  std::size_t records = 0;
  const auto note = [&](const store::LogRecordView&) { return ++records > 0; };
  EXPECT_TRUE(storage_.cold().events().read_logs(a_, logs, note, unlimited_)->is_whole);
  EXPECT_EQ(records, 3U);
  const auto matchers = store::compile_matchers({{MatchType::kEqual, "__name__", "golden_e"}});
  const store::SeriesQuery all{*matchers, store::kAllDays};
  const auto series = storage_.cold().catalog().select(a_, all, unlimited_)->next().value();
  ASSERT_EQ(series.size(), 1U);
  std::vector<Sample> exemplars;
  const auto see = [&](const store::StoredExemplar& one) {
    exemplars.push_back(one.sample);
    EXPECT_THAT(std::string(one.label_bytes), HasSubstr("trace_id"));
    return true;
  };
  ASSERT_TRUE(storage_.cold().exemplars()->read(a_, series[0].id, {}, see, unlimited_));
  ASSERT_EQ(exemplars.size(), 1U);
  EXPECT_EQ(exemplars[0].timestamp_ms, kNow);
  std::vector<std::string> said;
  const auto read = [&](const store::MetricMetadata& one) {
    said.push_back(one.metric + ": " + one.help + ", " + one.unit);
    return true;
  };
  ASSERT_TRUE(storage_.cold().metadata()->read(a_, "", read, unlimited_));
  EXPECT_THAT(said, testing::ElementsAre("golden: what it is, bytes"));
}

}  // namespace
}  // namespace vigia::storage
