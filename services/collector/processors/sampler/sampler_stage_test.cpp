#include "services/collector/processors/sampler/sampler_stage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include "services/collector/processors/sampler/threshold.hpp"

namespace vigia::collector::processors::sampler {
namespace {

using opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;
using opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A trace id whose randomness begins with that byte.
std::string trace_id(unsigned char first) {
  std::string id(16, '\x01');
  id[9] = static_cast<char>(first);
  return id;
}

void set_attribute(auto* item, const std::string& key, std::int64_t value) {
  auto* attribute = item->add_attributes();
  attribute->set_key(key);
  attribute->mutable_value()->set_int_value(value);
}

class SamplerTest : public ::testing::Test {
 protected:
  template <typename Request>
  Request sampled(const std::string& yaml, const Request& request, Signal signal) {
    const auto file = service::ConfigFile::parse(yaml, "c.yaml");
    const auto stage = make_sampler_stage(read_sampler(file->root(), {signal}));
    EXPECT_TRUE(file->finish().has_value()) << file->finish().error().message;
    intake::Batch batch{customer_, {signal, "grpc", request.SerializeAsString()}};
    EXPECT_FALSE(stage->accept(batch).has_value());
    filtered_ = batch.filtered;
    Request read;
    EXPECT_TRUE(read.ParseFromString(batch.request.body));
    return read;
  }
  auto* add_span(const std::string& id, const std::string& state = "") {
    auto* span = traces_.mutable_resource_spans(0)->mutable_scope_spans(0)->add_spans();
    span->set_trace_id(id);
    span->set_trace_state(state);
    return span;
  }
  auto* add_record(const std::string& id = "") {
    auto* record = logs_.mutable_resource_logs(0)->mutable_scope_logs(0)->add_log_records();
    record->set_trace_id(id);
    return record;
  }
  /// The tracestates of what is kept.
  std::vector<std::string> states(const std::string& yaml) {
    std::vector<std::string> all;
    const auto read = sampled(yaml, traces_, Signal::kTraces);
    for (const auto& group : read.resource_spans())
      for (const auto& span : group.scope_spans(0).spans()) all.push_back(span.trace_state());
    return all;
  }
  /// "threshold/randomness" of the records that are kept.
  std::vector<std::string> records(const std::string& yaml) {
    std::vector<std::string> all;
    const auto read = sampled(yaml, logs_, Signal::kLogs);
    for (const auto& group : read.resource_logs()) {
      for (const auto& record : group.scope_logs(0).log_records()) {
        std::string threshold, randomness;
        for (const auto& attribute : record.attributes()) {
          if (attribute.key() == "sampling.threshold") threshold = attribute.value().string_value();
          if (attribute.key() == "sampling.randomness")
            randomness = attribute.value().string_value();
        }
        all.push_back(threshold + "/" + randomness);
      }
    }
    return all;
  }
  void SetUp() override {
    traces_.add_resource_spans()->add_scope_spans();
    logs_.add_resource_logs()->add_scope_logs();
  }

  const tenancy::Customer customer_{*CustomerId::parse("cliente-a"), "A", "hot-0", {}, 0};
  ExportTraceServiceRequest traces_;
  ExportLogsServiceRequest logs_;
  std::uint64_t filtered_ = 0;
};

TEST_F(SamplerTest, ProportionalKeepsWhatIsAboveItsThreshold) {
  add_span(trace_id(0x7f));
  add_span(trace_id(0x80), "a=1,b=2");
  add_span(trace_id(0x00), "ot=rv:ff000000000000;x:y,a=1");
  EXPECT_THAT(states("{mode: proportional, sampling_percentage: 50}"),
              ElementsAre("ot=th:8,a=1,b=2", "ot=th:8;rv:ff000000000000;x:y,a=1"));
  EXPECT_EQ(filtered_, 1U);
}

TEST_F(SamplerTest, ProportionalTakesSoMuchOfWhatWasSampledBefore) {
  add_span(trace_id(0xbf), "ot=th:8");
  add_span(trace_id(0xc0), "ot=th:8");
  EXPECT_THAT(states("{mode: proportional, sampling_percentage: 50}"), ElementsAre("ot=th:c"));
}

TEST_F(SamplerTest, EqualizingTakesNothingOfWhatWasSampledAsMuchBefore) {
  add_span(trace_id(0xbf), "ot=th:8");
  add_span(trace_id(0x7f));
  add_span(trace_id(0xe0), "ot=th:c");
  EXPECT_THAT(states("{mode: equalizing, sampling_percentage: 50}"),
              ElementsAre("ot=th:8", "ot=th:c"));
}

TEST_F(SamplerTest, WhatContradictsItselfFailsClosedOrOpen) {
  add_span(trace_id(0x10), "ot=th:8");  // it should not have come
  add_span(trace_id(0xff), "ot=th:zzz");
  add_span("");
  EXPECT_THAT(states("{mode: proportional, sampling_percentage: 100}"), IsEmpty());
  EXPECT_THAT(states("{mode: proportional, sampling_percentage: 50, fail_closed: false}"),
              ElementsAre("ot=th:0", "ot=th:zzz", "ot=th:0"));
}

// Of these the hashes' last 14 bits, worked out apart, are 3941, 14613, 6885, 4245, 11877, 9557:
// half of 16384 and more go.
TEST_F(SamplerTest, HashSeedKeepsWhatOtherCollectorsKeep) {
  for (const char byte : std::string("\1\2\3\4\5\6")) add_span(std::string(16, byte));
  std::vector<char> kept;
  const auto read = sampled("{sampling_percentage: 50}", traces_, Signal::kTraces);
  for (const auto& span : read.resource_spans(0).scope_spans(0).spans())
    kept.push_back(span.trace_id()[0]);
  EXPECT_THAT(kept, ElementsAre(1, 3, 4));
}

// What upstream calls an error in this mode (ErrThresholdInUse, ErrRandomnessInUse): it goes unless
// the file says otherwise, and then passes as it came.
TEST_F(SamplerTest, HashSeedLeavesToOthersWhatTheyHaveSampled) {
  add_span(trace_id(0xc0), "ot=th:8");
  add_span(trace_id(0xc0), "a=1, ot=x:y;rv:c0000000000000");
  EXPECT_THAT(states("{sampling_percentage: 100}"), IsEmpty());
  EXPECT_EQ(filtered_, 2U);
  EXPECT_THAT(states("{sampling_percentage: 1, fail_closed: false}"),
              ElementsAre("ot=th:8", "a=1, ot=x:y;rv:c0000000000000"));
  traces_.mutable_resource_spans(0)->mutable_scope_spans(0)->clear_spans();
  set_attribute(add_span(trace_id(0xc0), "ot=rv:c0000000000000"), "sampling.priority", 1);
  EXPECT_THAT(states("{sampling_percentage: 1}"), ElementsAre("ot=rv:c0000000000000"));
}

TEST_F(SamplerTest, HashSeedLeavesRecordsToOthersToo) {
  auto* attribute = add_record(trace_id(0xc0))->add_attributes();
  attribute->set_key("sampling.threshold");
  attribute->mutable_value()->set_string_value("80");
  EXPECT_THAT(records("{sampling_percentage: 100}"), IsEmpty());
  EXPECT_THAT(records("{sampling_percentage: 1, fail_closed: false}"), ElementsAre("80/"));
}

TEST_F(SamplerTest, WithoutATraceIdThereIsNoRandomness) {
  add_span("");
  add_span(std::string(16, '\0'));
  EXPECT_THAT(states("{sampling_percentage: 100}"), IsEmpty());
  EXPECT_THAT(states("{sampling_percentage: 100, fail_closed: false}"),
              ElementsAre("ot=th:0;rv:ffffffffffffff", "ot=th:0;rv:ffffffffffffff"));
}

TEST_F(SamplerTest, NothingIsKeptOfNothing) {
  add_span("");
  add_span(trace_id(0xc0), "ot=th:8");
  EXPECT_THAT(states("{sampling_percentage: 0, fail_closed: false}"), IsEmpty());
  EXPECT_THAT(states("{sampling_percentage: 0.001, fail_closed: false}"), IsEmpty())
      << "less than the fourteen bits of hash_seed can say";
  set_attribute(add_span(trace_id(0xc0), "ot=th:8"), "sampling.priority", 1);
  EXPECT_THAT(states("{sampling_percentage: 0}"), ElementsAre("ot=th:8"));
}

TEST_F(SamplerTest, AStateThatIsNoneIsAnError) {
  for (const char* state : {"a", "A=1", "a=", "a=1 \x01", "1a=1", "a@=1", "@a=1", "a=b=c",
                            "ot=", "ot=th:8;", "ot=th:8;;x:y", "ot=Th:8", "ot=:8", "ot=th: 8",
                            "ot=th:", "ot=th:123456789abcdef", "ot=rv:1"})
    add_span(trace_id(0xff), state);
  add_span(trace_id(0xff), std::string(1023, ' ') + "a=1");
  std::string many;
  for (int i = 0; i < 33; ++i) many += "a=1,";
  add_span(trace_id(0xff), many);
  EXPECT_THAT(states("{mode: proportional, sampling_percentage: 100}"), IsEmpty());
  traces_.mutable_resource_spans(0)->mutable_scope_spans(0)->clear_spans();
  add_span(trace_id(0xff), "1a@b=x y, ,ot=th:C;x:A.b-c_d,");
  EXPECT_THAT(states("{mode: proportional, sampling_percentage: 100}"),
              ElementsAre("ot=th:c;x:A.b-c_d,1a@b=x y"));
}

TEST_F(SamplerTest, HashSeedDecidesByTheHashOfTheTraceId) {
  std::size_t kept = 0;
  for (unsigned i = 0; i < 4096; ++i) {
    std::string id(16, '\x01');
    id[3] = static_cast<char>(i & 0xffU);
    id[7] = static_cast<char>(i >> 8U);
    add_span(id);
    if (randomness_of_bytes(id, 22) >= (0x4000ULL - 0x1000) << 42U) ++kept;
  }
  const auto all = states("{sampling_percentage: 25, hash_seed: 22}");
  EXPECT_EQ(all.size(), kept);
  EXPECT_NEAR(static_cast<double>(kept), 1024, 150);
  EXPECT_THAT(all.front(), HasSubstr("ot=th:c;rv:"));
}

TEST_F(SamplerTest, APriorityStandsAboveTheRest) {
  const auto set = [](auto* span, std::int64_t priority) {
    auto* attribute = span->add_attributes();
    attribute->set_key("sampling.priority");
    attribute->mutable_value()->set_int_value(priority);
  };
  set(add_span(trace_id(0xff)), 0);
  set(add_span(trace_id(0x00)), 1);
  auto* text = add_span(trace_id(0x01))->add_attributes();
  text->set_key("sampling.priority");
  text->mutable_value()->set_string_value("2");
  EXPECT_THAT(states("{mode: proportional, sampling_percentage: 50}"),
              ElementsAre("ot=th:0", "ot=th:0"));
  EXPECT_EQ(filtered_, 1U);
}

TEST_F(SamplerTest, NothingAndAllAreKept) {
  add_span(trace_id(0xff));
  add_span(trace_id(0x00));
  for (const char* mode : {"hash_seed", "proportional", "equalizing"}) {
    const std::string begin = std::string("{mode: ") + mode + ", sampling_percentage: ";
    EXPECT_EQ(states(begin + "0}").size(), 0U) << mode;
    EXPECT_EQ(states(begin + "100}").size(), 2U) << mode;
    EXPECT_EQ(states(begin + "250}").size(), 2U) << mode;
  }
}

TEST_F(SamplerTest, RecordsCarryTheirThresholdAsAttributes) {
  add_record(trace_id(0x7f));
  add_record(trace_id(0x80));
  EXPECT_THAT(records("{mode: proportional, sampling_percentage: 50}"), ElementsAre("8/"));
}

TEST_F(SamplerTest, RecordsWithoutATraceAreDecidedByAnAttribute) {
  for (int i = 0; i < 1000; ++i) {
    auto* attribute = add_record()->add_attributes();
    attribute->set_key("id");
    attribute->mutable_value()->set_int_value(i);
  }
  const std::string yaml = "sampling_percentage: 50, from_attribute: id, attribute_source: record}";
  const auto kept = records("{" + yaml);
  EXPECT_NEAR(static_cast<double>(kept.size()), 500, 80);
  EXPECT_EQ(kept.front().substr(0, 2), "8/");
  EXPECT_EQ(kept.front().size(), 2U + 14U);
  EXPECT_EQ(records("{mode: proportional, " + yaml).size(), kept.size());
  EXPECT_THAT(records("{sampling_percentage: 100}"), IsEmpty()) << "no randomness: fails closed";
  EXPECT_EQ(records("{sampling_percentage: 50, fail_closed: false}").size(), 1000U);
}

TEST_F(SamplerTest, ARecordsPriorityIsAPercentage) {
  for (const std::int64_t priority : {0, 100}) {
    auto* attribute = add_record(trace_id(0x80))->add_attributes();
    attribute->set_key("p");
    attribute->mutable_value()->set_int_value(priority);
  }
  add_record(trace_id(0x80));
  EXPECT_THAT(records("{mode: proportional, sampling_percentage: 25, sampling_priority: p}"),
              ElementsAre("0/"));
}

TEST_F(SamplerTest, ARecordsPriorityStandsInPlaceOfThePercentage) {
  set_attribute(add_record(trace_id(0xc0)), "p", 10);
  set_attribute(add_record(trace_id(0xff)), "p", 10);
  EXPECT_THAT(records("{mode: proportional, sampling_percentage: 100, sampling_priority: p}"),
              ElementsAre("e666/"));
}

TEST(SamplerSettings, MistakesAreTold) {
  const auto error_of = [](const std::string& yaml, Signal signal = Signal::kTraces) {
    const auto file = service::ConfigFile::parse(yaml, "c.yaml");
    read_sampler(file->root(), {signal});
    const auto finished = file->finish();
    return finished ? "" : finished.error().message;
  };
  EXPECT_THAT(error_of("{mode: random}"), HasSubstr("c.yaml:1: mode: \"random\" is not hash_seed"));
  EXPECT_THAT(error_of("{sampling_percentage: -1}"), HasSubstr("sampling_percentage"));
  EXPECT_THAT(error_of("{sampling_percentage: 1e-20}"), HasSubstr("smaller than anything"));
  EXPECT_THAT(error_of("{sampling_precision: 15}"), HasSubstr("sampling_precision"));
  EXPECT_THAT(error_of("{attribute_source: body}"), HasSubstr("not traceID or record"));
  EXPECT_THAT(error_of("{sampling_percentage: 5}", Signal::kMetrics),
              HasSubstr("metrics names it"));
  EXPECT_EQ(error_of("{sampling_percentage: 15.3, hash_seed: 22}"), "");
}

}  // namespace
}  // namespace vigia::collector::processors::sampler
