// The index of log records by stream and walks over them, on RocksDB.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "services/storage/store/rocksdb/events/search_key.hpp"
#include "services/storage/store/rocksdb/events/testing/event_table_fixture.hpp"
#include "services/storage/store/testing/otlp_bodies.hpp"

namespace vigia::storage::store::rocksdb::events {

// Each look at it takes a second.
class CountedClock final : public Clock {
 public:
  std::int64_t wall_ns() const override { return 0; }
  TimePoint steady() const override { return TimePoint(std::chrono::seconds(++looks_)); }

 private:
  mutable std::int64_t looks_ = 0;
};

class LogIndexTest : public EventTableTest {
 protected:
  using Attributes = std::vector<std::pair<std::string, std::string>>;

  EventCounts write(const std::vector<std::string>& records, const std::string& service,
                    Attributes more = {}) {
    more.emplace_back("service.name", service);
    return written(*logs_, *index_, "cliente-a", export_of("cliente-a", records, more));
  }
  customers::CustomerNumber customer() {
    return index_->number_of(CustomerId::parse("cliente-a").value()).value();
  }
  struct Given {
    LogPlace place;
    std::string item;
    bool operator==(const Given&) const = default;
  };
  std::vector<Given> read(const LogQuery& query, LogEnd* end = nullptr,
                          const WorkLimit& limit = {}) {
    std::vector<Given> given;
    const auto ended = logs_->read_logs(
        customer(), query,
        [&](const LogRecordView& record) {
          given.push_back({record.place, std::string(record.event.item)});
          return true;
        },
        limit);
    EXPECT_TRUE(ended.has_value());
    if (end != nullptr && ended) *end = *ended;
    return given;
  }
  static LabelMatchers service(const std::string& name, MatchType type = MatchType::kEqual) {
    return compile_matchers({{type, "service_name", name}}).value();
  }
  std::vector<Given> read_service(const std::string& name) {
    const LabelMatchers matchers = service(name);
    LogQuery query{0, UINT64_MAX};
    query.stream = &matchers;
    return read(query);
  }
  std::vector<kv::KeyValue> rows_of(const std::function<std::string(std::uint32_t)>& prefix_of) {
    std::vector<kv::KeyValue> rows;
    kv::DaySet days(*store_, kv::Family::kLogs);
    EXPECT_TRUE(days.load().has_value());
    for (const std::uint32_t day : days.between(0, UINT32_MAX)) {
      const std::string prefix = prefix_of(day);
      const auto scan = store_->scan(kv::Family::kLogs, prefix, kv::after_prefix(prefix));
      while (scan->next()) {
        rows.push_back({kv::Family::kLogs, std::string(scan->key()), std::string(scan->value())});
      }
    }
    return rows;
  }
  std::vector<kv::KeyValue> index_rows() {
    return rows_of([&](std::uint32_t day) { return search_key::own(day, customer()); });
  }
  // As an older program left it.
  void forget_index() {
    std::vector<kv::KeyValue> gone = index_rows();
    for (kv::KeyValue& row : gone) row = {row.family, row.key, "", true};
    for (const kv::Family family : {kv::Family::kIndex, kv::Family::kIdentity}) {
      gone.push_back({family, "m/log_index", "", true});
    }
    ASSERT_TRUE(store_->put(gone, kv::Durability::kNow).has_value());
    reopen();
  }
  // Each record of another service cannot be read from now on: who reads one is found out.
  void spoil_all_but(const std::string& text) {
    std::vector<kv::KeyValue> rows =
        rows_of([&](std::uint32_t day) { return event_key::prefix(day, customer()); });
    std::vector<kv::KeyValue> spoiled;
    for (kv::KeyValue& row : rows) {
      if (row.value.find(text) != std::string::npos) continue;
      spoiled.push_back({row.family, row.key, std::string(1, row.value[0])});
    }
    ASSERT_FALSE(spoiled.empty());
    ASSERT_TRUE(store_->put(spoiled, kv::Durability::kNow).has_value());
  }
};

}  // namespace vigia::storage::store::rocksdb::events
