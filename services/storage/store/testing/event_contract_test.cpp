// What every cold store keeps to: spans and log records.
#include <algorithm>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/testing/contract_fixture.hpp"

namespace vigia::storage::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

template <typename Store>
class EventContractTest : public ContractFixture<Store> {};
TYPED_TEST_SUITE(EventContractTest, Stores, );

TYPED_TEST(EventContractTest, ATraceIsFoundByItsIdAndARepeatStoresNothing) {
  const std::string body =
      export_of("cliente-a", {span_of(kTrace, 'a', kStartNs), span_of(kTrace, 'b', kStartNs + 1),
                              span_of(std::string(kTraceIdBytes, 'x'), 'c', kStartNs)});
  EXPECT_EQ(this->events().write(this->a_, Signal::kTraces, body)->stored, 3U);
  EXPECT_EQ(this->events().write(this->a_, Signal::kTraces, body)->repeats, 3U);
  int spans = 0;
  const auto count = [&](const EventView& event) {
    EXPECT_FALSE(event.item.empty());
    EXPECT_FALSE(event.resource.empty());
    return ++spans > 0;
  };
  EXPECT_TRUE(this->events().read_trace(this->a_, kTrace, count, this->unlimited_).value());
  EXPECT_EQ(spans, 2);
}

TYPED_TEST(EventContractTest, ItemsOfAnotherCustomerAreRefused) {
  const auto counts = this->events().write(this->a_, Signal::kLogs,
                                           export_of("cliente-b", {log_record_of(kStartNs, "x")}));
  EXPECT_EQ(counts->refused, 1U);
  EXPECT_EQ(counts->stored, 0U);
  EXPECT_FALSE(this->events().write(this->a_, Signal::kLogs, "no such message").has_value());
}

// As the collector reads it, or what it has acknowledged would be refused here.
TYPED_TEST(EventContractTest, ANameThatIsEmptyNamesNobodyAndAForeignOneIsForeignInWhateverOrder) {
  const auto stored = [&](const std::string& first, const std::string& second) {
    const std::string body = export_of(first, {log_record_of(kStartNs, first + "," + second)},
                                       {{"customer.id", second}});
    return this->events().write(this->a_, Signal::kLogs, body)->stored;
  };
  EXPECT_EQ(stored("cliente-a", ""), 1U);
  EXPECT_EQ(stored("", "cliente-a"), 1U);
  EXPECT_EQ(stored("", ""), 0U);
  EXPECT_EQ(stored("cliente-a", "cliente-b"), 0U);
  EXPECT_EQ(stored("cliente-b", "cliente-a"), 0U);
}

TYPED_TEST(EventContractTest, LogRecordsComeInTimeOrderThoseOfOneTimeAsTheyCame) {
  const std::vector<std::string> texts = {"c", "a", "b"};
  std::vector<std::string> records = {log_record_of(kStartNs + 9, "last")};
  for (const std::string& text : texts) records.push_back(log_record_of(kStartNs, text));
  records.push_back(records[1]);  // equal ones of a request are both kept
  EXPECT_EQ(this->events().write(this->a_, Signal::kLogs, export_of("cliente-a", records))->stored,
            5U);
  EXPECT_THAT(this->logs({kStartNs, kStartNs + 9}),
              ElementsAre(records[1], records[2], records[3], records[1], records[0]));
  EXPECT_THAT(this->logs({kStartNs + 1, kStartNs + 8}), IsEmpty());
}

TYPED_TEST(EventContractTest, BackwardTheLastLogRecordComesFirst) {
  std::vector<std::string> records;
  for (int i = 0; i < 6; ++i) {
    records.push_back(
        log_record_of(kStartNs + static_cast<TimestampNs>(i / 3) * kDayNs, std::to_string(i)));
  }
  ASSERT_TRUE(this->events().write(this->a_, Signal::kLogs, export_of("cliente-a", records)));
  LogQuery query{0, UINT64_MAX, LogDirection::kBackward};
  EXPECT_THAT(this->logs(query),
              ElementsAre(records[5], records[4], records[3], records[2], records[1], records[0]));
  query.to_ns = kStartNs + kDayNs - 1;
  EXPECT_THAT(this->logs(query), ElementsAre(records[2], records[1], records[0]));
  query.from_ns = kStartNs + 1;
  EXPECT_THAT(this->logs(query), IsEmpty());
}

// Pages of any size, one after the other, are the whole: nothing twice and nothing missed, though
// many records have one time and days lie between others.
TYPED_TEST(EventContractTest, LogsGoOnBehindAPlace) {
  std::vector<std::string> records;
  for (int i = 0; i < 12; ++i) {
    const TimestampNs time_ns = kStartNs + static_cast<TimestampNs>(i / 5) * 2 * kDayNs;
    records.push_back(log_record_of(time_ns, std::to_string(i)));
  }
  ASSERT_TRUE(this->events().write(this->a_, Signal::kLogs, export_of("cliente-a", records)));
  for (const LogDirection direction : {LogDirection::kForward, LogDirection::kBackward}) {
    for (const std::size_t page : {1U, 4U, 5U, 11U, 12U, 99U}) {
      LogQuery query{kStartNs, UINT64_MAX, direction};
      query.records_max = page;
      std::vector<std::string> all;
      for (std::size_t pages = 0; pages <= records.size(); ++pages) {
        const auto more = this->logs(query, &query.after);
        EXPECT_LE(more.size(), page);
        all.insert(all.end(), more.begin(), more.end());
        if (more.empty()) break;
      }
      std::vector<std::string> wanted = records;
      if (direction == LogDirection::kBackward) std::reverse(wanted.begin(), wanted.end());
      EXPECT_EQ(all, wanted) << "pages of " << page;
    }
  }
}

TYPED_TEST(EventContractTest, NoPlaceIsBehindTheRange) {
  ASSERT_TRUE(this->events().write(this->a_, Signal::kLogs,
                                   export_of("cliente-a", {log_record_of(kStartNs, "text")})));
  LogQuery query{kStartNs, kStartNs};
  query.after = LogPlace{kStartNs - 1, 7};
  EXPECT_EQ(this->logs(query).size(), 1U) << "the place lies before the range";
  query.after = LogPlace{kStartNs + 1, 0};
  EXPECT_THAT(this->logs(query), IsEmpty());
  query.direction = LogDirection::kBackward;
  EXPECT_EQ(this->logs(query).size(), 1U);
  query.after = std::nullopt;
  query.records_max = 0;
  EXPECT_THAT(this->logs(query), IsEmpty());
}

TYPED_TEST(EventContractTest, AStreamIsWhatTheResourceSays) {
  const std::string shop = log_record_of(kStartNs, "of the shop");
  const std::string bank = log_record_of(kStartNs, "of the bank");
  for (const auto& [service, record] : {std::pair("shop", shop), std::pair("bank", bank)}) {
    const std::vector<std::pair<std::string, std::string>> more = {{"service.name", service}};
    ASSERT_TRUE(
        this->events().write(this->a_, Signal::kLogs, export_of("cliente-a", {record}, more)));
  }
  const auto of = [this](const std::vector<Matcher>& matchers) {
    const auto compiled = compile_matchers(matchers).value();
    LogQuery query{0, UINT64_MAX};
    query.stream = &compiled;
    auto records = this->logs(query);
    std::sort(records.begin(), records.end());
    return records;
  };
  EXPECT_THAT(of({{MatchType::kEqual, "service_name", "shop"}}), ElementsAre(shop));
  EXPECT_THAT(of({{MatchType::kNotEqual, "service_name", "shop"}}), ElementsAre(bank));
  EXPECT_THAT(of({{MatchType::kEqual, "service.name", "shop"}}), IsEmpty());
  EXPECT_THAT(of({{MatchType::kEqual, "customer_id", "cliente-a"},
                  {MatchType::kRegex, "service_name", "b.*"}}),
              ElementsAre(bank));
  EXPECT_EQ(of({}).size(), 2U);
}

// A place tells nothing of the stream, so that whoever has walked one goes on in another.
TYPED_TEST(EventContractTest, PlacesAreThoseOfEveryStream) {
  const std::vector<std::pair<std::string, std::string>> shop = {{"service.name", "shop"}};
  ASSERT_TRUE(this->events().write(this->a_, Signal::kLogs,
                                   export_of("cliente-a", {log_record_of(kStartNs, "other")})));
  ASSERT_TRUE(this->events().write(
      this->a_, Signal::kLogs,
      export_of("cliente-a", {log_record_of(kStartNs, "1"), log_record_of(kStartNs, "2")}, shop)));
  const auto matchers = compile_matchers({{MatchType::kEqual, "service_name", "shop"}}).value();
  LogQuery query{0, UINT64_MAX};
  query.stream = &matchers;
  query.records_max = 1;
  ASSERT_THAT(this->logs(query, &query.after), ElementsAre(log_record_of(kStartNs, "1")));
  query.stream = nullptr;
  query.records_max = 9;
  EXPECT_THAT(this->logs(query), ::testing::Contains(log_record_of(kStartNs, "2")));
  EXPECT_THAT(this->logs(query), ::testing::Not(::testing::Contains(log_record_of(kStartNs, "1"))));
}

TYPED_TEST(EventContractTest, WholeDaysOfEventsExpireBySignal) {
  ASSERT_TRUE(this->events().write(this->a_, Signal::kLogs,
                                   export_of("cliente-a", {log_record_of(kStartNs, "text")})));
  ASSERT_TRUE(this->events().write(this->a_, Signal::kTraces,
                                   export_of("cliente-a", {span_of(kTrace, 's', kStartNs)})));
  EXPECT_EQ(this->events().expire(Signal::kLogs, kStart + kDayMs).value(), 1U);
  int seen = 0;
  const auto count = [&](const auto&...) { return ++seen > 0; };
  EXPECT_TRUE(
      this->events().read_logs(this->a_, {0, UINT64_MAX}, count, this->unlimited_)->is_whole);
  EXPECT_EQ(seen, 0);
  EXPECT_TRUE(this->events().read_trace(this->a_, kTrace, count, this->unlimited_).value());
  EXPECT_EQ(seen, 1);
}

// With what they say of their origin, and by their indices: of one day one customer's stay whole.
TYPED_TEST(EventContractTest, EventsOfADayExpireByCustomer) {
  const std::vector<std::pair<std::string, std::string>> shop = {{"service.name", "shop"}};
  for (const CustomerId& customer : {this->a_, this->b_}) {
    for (const TimestampNs time_ns : {kStartNs, kStartNs + kDayNs}) {
      ASSERT_TRUE(this->events().write(
          customer, Signal::kLogs,
          export_of(customer.text(), {log_record_of(time_ns, customer.text())}, shop)));
      const std::string trace(kTraceIdBytes, time_ns == kStartNs ? '1' : '2');
      ASSERT_TRUE(
          this->events().write(customer, Signal::kTraces,
                               export_of(customer.text(), {span_of(trace, 's', time_ns)}, shop)));
    }
  }
  const auto matchers = compile_matchers({{MatchType::kEqual, "service_name", "shop"}}).value();
  const auto seen = [&](const CustomerId& customer) {
    std::string all;
    const auto record = [&](const LogRecordView& one) {
      EXPECT_NE(one.event.resource.find("shop"), std::string_view::npos);
      all += 'l';
      return true;
    };
    LogQuery logs{0, UINT64_MAX};
    logs.stream = &matchers;
    EXPECT_TRUE(this->events().read_logs(customer, logs, record, this->unlimited_)->is_whole);
    const auto span = [&](const EventView& one) {
      EXPECT_NE(one.resource.find("shop"), std::string_view::npos);
      all += 's';
      return true;
    };
    for (const char id : {'1', '2'}) {
      const std::string trace(kTraceIdBytes, id);
      EXPECT_TRUE(this->events().read_trace(customer, trace, span, this->unlimited_).value());
    }
    return all + std::to_string(this->events().damaged_items(Signal::kLogs) +
                                this->events().damaged_items(Signal::kTraces));
  };
  ExpiryCuts cuts(kStart);
  cuts.own[this->b_] = kStart + kDayMs;
  for (const Signal signal : {Signal::kLogs, Signal::kTraces}) {
    EXPECT_EQ(this->events().expire(signal, cuts).value(), 1U);
    EXPECT_EQ(this->events().expire(signal, cuts).value(), 0U);
  }
  EXPECT_EQ(seen(this->a_), "llss0");
  EXPECT_EQ(seen(this->b_), "ls0");
  // And the other way round: all but one lose it.
  cuts = kStart + 2 * kDayMs;
  cuts.own[this->a_] = 0;
  for (const Signal signal : {Signal::kLogs, Signal::kTraces}) {
    EXPECT_EQ(this->events().expire(signal, cuts).value(), 1U);
  }
  EXPECT_EQ(seen(this->a_), "llss0");
  EXPECT_EQ(seen(this->b_), "0");
}

}  // namespace
}  // namespace vigia::storage::store
