#include "services/storage/api/json_cost.hpp"

#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "services/storage/api/attribute_json.hpp"
#include "services/storage/api/jaeger_json.hpp"

namespace vigia::storage::api {
namespace {

using protozero::pbf_writer;

// Messages of every shape that the door takes, small and deep ones, most of them nearly empty.
class RandomEvents {
 public:
  explicit RandomEvents(std::uint32_t seed) : random_(seed) {}

  std::string span() {
    std::string bytes;
    pbf_writer message(bytes);
    message.add_bytes(1, std::string(16, '\x0a'));
    message.add_bytes(2, std::string(8, '\x0b'));
    if (below(2) == 0) message.add_bytes(4, std::string(8, '\x0c'));
    message.add_string(5, text());
    message.add_enum(6, static_cast<std::int32_t>(below(7)));
    message.add_fixed64(7, below(2) == 0 ? UINT64_MAX / 2 : below(1000));
    message.add_fixed64(8, UINT64_MAX - below(10));
    for (std::uint32_t i = below(4); i > 0; --i) message.add_message(9, key_value(1));
    for (std::uint32_t i = below(6); i > 0; --i) message.add_message(11, event());
    for (std::uint32_t i = below(6); i > 0; --i) message.add_message(13, link());
    for (std::uint32_t i = below(3); i > 0; --i) message.add_message(15, status());
    return bytes;
  }
  std::string record() {
    std::string bytes;
    pbf_writer message(bytes);
    message.add_string(3, text());
    for (std::uint32_t i = below(3); i > 0; --i) message.add_message(5, any_value(1));
    for (std::uint32_t i = below(4); i > 0; --i) message.add_message(6, key_value(1));
    if (below(2) == 0) message.add_bytes(9, std::string(16, '\x0a'));
    return bytes;
  }
  std::string resource() {
    std::string bytes;
    pbf_writer message(bytes);
    for (std::uint32_t i = below(4); i > 0; --i) message.add_message(1, key_value(1));
    return bytes;
  }
  std::string scope() {
    std::string bytes;
    pbf_writer message(bytes);
    for (std::uint32_t i = below(3); i > 0; --i) message.add_string(1 + below(2), text());
    return bytes;
  }

 private:
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }
  std::string text() {
    static const std::string kTexts[] = {"",
                                         "a",
                                         "\"",
                                         "\\",
                                         "\n",
                                         std::string(1, '\0'),
                                         "\x7f",
                                         "ñ",
                                         "\xff",
                                         "\"\\\x01\xc3",
                                         "a longer text of a span"};
    std::string all;
    for (std::uint32_t i = below(3); i > 0; --i) all += kTexts[below(std::size(kTexts))];
    return all;
  }
  std::string key_value(int depth) {
    std::string bytes;
    pbf_writer message(bytes);
    if (below(3) > 0) message.add_string(1, text());
    if (below(3) > 0) message.add_message(2, any_value(depth));
    return bytes;
  }
  std::string any_value(int depth) {
    std::string bytes;
    pbf_writer message(bytes);
    for (std::uint32_t i = below(8) == 0 ? 2 : below(2); i > 0; --i) {
      const std::uint32_t kind = below(depth > 4 ? 5 : 9);
      if (kind == 0) message.add_string(1, text());
      if (kind == 1) message.add_bool(2, below(2) == 0);
      if (kind == 2) message.add_int64(3, INT64_MIN + below(2));
      if (kind == 3) message.add_double(4, below(2) == 0 ? -1.2345678901234567e-300 : 1.0 / 0.0);
      if (kind == 4) message.add_bytes(7, text());
      if (kind == 5 || kind == 6) message.add_message(5, entries(depth, false));
      if (kind >= 7) message.add_message(6, entries(depth, true));
    }
    return bytes;
  }
  std::string entries(int depth, bool are_named) {
    std::string bytes;
    pbf_writer message(bytes);
    for (std::uint32_t i = below(4); i > 0; --i) {
      message.add_message(1, are_named ? key_value(depth + 1) : any_value(depth + 1));
    }
    return bytes;
  }
  std::string event() {
    std::string bytes;
    pbf_writer message(bytes);
    if (below(3) == 0) message.add_fixed64(1, UINT64_MAX - below(10));
    for (std::uint32_t i = below(3); i > 0; --i) message.add_string(2, text());
    for (std::uint32_t i = below(3); i > 0; --i) message.add_message(3, key_value(1));
    return bytes;
  }
  std::string link() {
    std::string bytes;
    pbf_writer message(bytes);
    if (below(3) == 0) message.add_bytes(1, std::string(16, '\x0a'));
    if (below(3) == 0) message.add_bytes(2, std::string(8, '\x0a'));
    return bytes;
  }
  std::string status() {
    std::string bytes;
    pbf_writer message(bytes);
    for (std::uint32_t i = below(3); i > 0; --i) message.add_string(2, text());
    if (below(3) > 0) message.add_enum(3, static_cast<std::int32_t>(below(4)));
    return bytes;
  }

  std::mt19937 random_;
};

std::size_t written(const store::EventView& event) {
  JaegerTrace trace(std::string(16, '\x0a'));
  trace.add(event, trace.cost_of(event));
  return trace.bytes();
}

TEST(JsonCostTest, NoSpanBecomesMoreThanWasReckoned) {
  RandomEvents events(1);
  for (int round = 0; round < 4'000; ++round) {
    const std::string resource = events.resource();
    const std::string scope = events.scope();
    const std::string item = events.span();
    const store::EventView event{resource, "", scope, "", item};
    const std::size_t reckoned = JaegerTrace(std::string(16, '\x0a')).cost_of(event).json;
    ASSERT_LE(written(event), reckoned) << "round " << round;
  }
}

// Large resources are known by what they are, small ones and those past 4 MiB by their hash: all by
// the process that they were first given, and what is held of them is reckoned.
TEST(JsonCostTest, EachResourceIsOneProcessHoweverLargeItIs) {
  std::string span;
  pbf_writer(span).add_bytes(2, "12345678");
  std::vector<std::string> resources;
  for (const std::size_t bytes : {10U, 15U << 10U, 1U << 20U, 1U << 20U, 3U << 20U, 2U << 20U}) {
    std::string& resource = resources.emplace_back();
    pbf_writer message(resource);
    pbf_writer attribute(message, 1);
    attribute.add_string(1, "service.name");
    const std::string service(bytes, static_cast<char>('a' + resources.size()));
    pbf_writer(attribute, 2).add_string(1, service);
  }
  JaegerTrace trace(std::string(16, '\x0a'));
  std::size_t spans = 0;
  for (const bool is_new : {true, false, false}) {
    for (const std::string& resource : resources) {
      const store::EventView event{resource, "", "", "", span};
      const std::size_t before = trace.bytes();
      const JsonCost cost = trace.cost_of(event);
      trace.add(event, cost);
      EXPECT_LE(trace.bytes() - before, cost.json);
      EXPECT_EQ(cost.json > resource.size(), is_new || resource.size() < 100U);
      ++spans;
    }
  }
  EXPECT_EQ(trace.spans(), spans);
  const std::string json = trace.finish(false);
  for (const std::size_t process : {1U, 2U, 3U, 4U, 5U, 6U}) {
    const std::string named =
        fmt::format(R"("p{}":{{"serviceName":"{}")", process, static_cast<char>('a' + process));
    const std::string head = named.substr(0, named.size() - 1);
    EXPECT_NE(json.find(head), std::string::npos) << head;
    const std::string of = fmt::format(R"("processID":"p{}")", process);
    std::size_t times = 0;
    for (auto at = json.find(of); at != std::string::npos; at = json.find(of, at + 1)) ++times;
    EXPECT_EQ(times, 3U) << of;
  }
  EXPECT_EQ(json.find(R"("p7":)"), std::string::npos);
}

TEST(JsonCostTest, NoValueOfARecordBecomesMoreThanWasReckoned) {
  RandomEvents events(2);
  for (int round = 0; round < 4'000; ++round) {
    const std::string resource = events.resource();
    const std::string item = events.record();
    const store::EventView event{resource, "", "", "", item};
    std::string json;
    append_object_json(json, {resource, 1});
    append_object_json(json, {item, 6});
    wire::otlp::FieldReader reader(item);
    std::string_view body;
    while (reader.next()) {
      if (reader.tag_and_type() == wire::otlp::bytes_field(5)) {
        body = reader.bytes();
      } else {
        reader.skip();
      }
    }
    append_value_string(json, body);
    ASSERT_LE(json.size(), record_cost(event).json) << "round " << round;
  }
}

// D2: two bytes each that become fifty, and what is written around them.
TEST(JsonCostTest, EmptyElementsCountByWhatIsWrittenForThem) {
  constexpr int kElements = 10'000;
  for (const int field : {9, 11, 13}) {
    std::string span;
    pbf_writer message(span);
    for (int i = 0; i < kElements; ++i)
      message.add_message(static_cast<std::uint32_t>(field), std::string());
    const store::EventView event{"", "", "", "", span};
    const std::size_t json = written(event);
    const std::size_t reckoned = span_cost(event).json;
    EXPECT_GT(json, 20U * kElements) << field;
    EXPECT_GE(reckoned, json) << field;
    EXPECT_LT(reckoned, 3 * json) << field;
  }
}

TEST(JsonCostTest, EntriesOfAListCountWhileTheyAreSorted) {
  constexpr std::size_t kEntries = 10'000;
  std::string list;
  pbf_writer entries(list);
  for (std::size_t i = 0; i < kEntries; ++i) entries.add_message(1, std::string());
  std::string body;
  pbf_writer(body).add_message(6, list);
  std::string record;
  pbf_writer(record).add_message(5, body);
  const JsonCost cost = record_cost({"", "", "", "", record});
  EXPECT_GT(cost.scratch, kEntries * 2 * sizeof(wire::otlp::KeyValueView));
}

TEST(JsonCostTest, APlainSpanIsReckonedClosely) {
  std::string span;
  pbf_writer message(span);
  message.add_bytes(1, std::string(16, '\x0a'));
  message.add_bytes(2, std::string(8, '\x0b'));
  message.add_string(5, std::string(100'000, 'x'));
  const store::EventView event{"", "", "", "", span};
  EXPECT_LT(span_cost(event).json, written(event) + 1'000);
  EXPECT_EQ(span_cost(event).scratch, 0U);
}

}  // namespace
}  // namespace vigia::storage::api
