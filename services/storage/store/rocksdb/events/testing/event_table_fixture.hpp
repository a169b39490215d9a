// Spans and log records in a store on RocksDB, and the answers that are made of them.
#pragma once

#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/api/event_api.hpp"
#include "services/storage/store/rocksdb/events/event_key.hpp"
#include "services/storage/store/rocksdb/events/event_writer.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/rocksdb_cold_store.hpp"

namespace vigia::storage::store::rocksdb::events {

using protozero::pbf_writer;

inline constexpr TimestampNs kNowNs = 1'764'043'200'000'000'000;  // four in the morning
inline constexpr TimestampNs kSecondNs = 1'000'000'000;
inline constexpr TimestampNs kDayNs = 86'400 * kSecondNs;
inline const std::string kTrace(16, '\x0a');
inline constexpr std::string_view kTraceHex = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

inline void add_attribute(pbf_writer& message, std::uint32_t number, const std::string& key,
                          const std::string& value) {
  pbf_writer attribute(message, number);
  attribute.add_string(1, key);
  pbf_writer any(attribute, 2);
  any.add_string(1, value);
}

// One resource of the customer ("" names none) with one scope and the items.
inline std::string request_of(const std::string& customer, const std::vector<std::string>& items,
                              const std::string& note = "") {
  std::string body;
  pbf_writer request(body);
  pbf_writer resource_items(request, 1);
  {
    pbf_writer resource(resource_items, 1);
    if (!customer.empty()) add_attribute(resource, 1, "customer.id", customer);
    add_attribute(resource, 1, "service.name", "shop");
    if (!note.empty()) add_attribute(resource, 1, "note", note);
  }
  pbf_writer scope_items(resource_items, 2);
  for (const std::string& item : items) scope_items.add_message(2, item);
  return body;
}

inline std::string span(char id, const std::string& name, TimestampNs start_ns = kNowNs) {
  std::string bytes;
  pbf_writer message(bytes);
  message.add_bytes(1, kTrace);
  message.add_bytes(2, std::string(8, id));
  message.add_string(5, name);
  message.add_enum(6, 2);
  message.add_fixed64(7, start_ns);
  message.add_fixed64(8, start_ns + 2'000'000);
  add_attribute(message, 9, "http.route", "/\"x\"");
  return bytes;
}

inline std::string log_record(TimestampNs time_ns, const std::string& text) {
  std::string bytes;
  pbf_writer message(bytes);
  message.add_fixed64(1, time_ns);
  message.add_string(3, "WARN");
  pbf_writer any(message, 5);
  any.add_string(1, text);
  return bytes;
}

inline net::Request post(Signal signal, const std::string& customer, std::string body) {
  net::Request request;
  request.method = "POST";
  request.path = signal == Signal::kTraces ? "/v1/traces" : "/v1/logs";
  request.headers.add("content-type", "application/x-protobuf");
  if (!customer.empty()) request.headers.add("x-vigia-customer", customer);
  request.body = std::move(body);
  return request;
}

class EventTableTest : public ::testing::Test {
 protected:
  EventTableTest() { open(); }
  void open() {
    store_ = kv::open_rocksdb({folder_.path()}).value();
    cold_ = RocksDbColdStore::open(*store_, clock_, 64U << 20U).value();
    index_ = &cold_->index();
    spans_ = &cold_->items_of(Signal::kTraces);
    logs_ = &cold_->items_of(Signal::kLogs);
  }
  void reopen() {
    cold_.reset();
    store_.reset();
    open();
  }
  static EventCounts written(EventTable& events, index::SeriesIndex& index,
                             const std::string& customer, const std::string& body) {
    const CustomerId id = CustomerId::parse(customer).value();
    return events.write(id, index.number_of(id).value(), body).value();
  }
  // Of all rows of a family.
  std::size_t value_bytes(kv::Family family) {
    std::size_t bytes = 0;
    const auto scan = store_->scan(family, "", "");
    while (scan->next()) bytes += scan->value().size();
    return bytes;
  }
  net::Response get_trace(const std::string& customer, std::string_view id) {
    net::Request request;
    if (!customer.empty()) request.headers.add("x-vigia-customer", customer);
    return api::EventApi(cold_->events(), cold_->catalog(), answers_).trace(request, id);
  }
  std::string get_logs(const std::string& customer, std::string_view query) {
    net::Request request;
    request.method = "GET";
    request.query = query;
    if (!customer.empty()) request.headers.add("x-vigia-customer", customer);
    return api::EventApi(cold_->events(), cold_->catalog(), answers_).logs(request).body;
  }

  TemporaryFolder folder_;
  ManualClock clock_{static_cast<std::int64_t>(kNowNs)};
  std::unique_ptr<kv::OrderedStore> store_;
  std::unique_ptr<RocksDbColdStore> cold_;
  index::SeriesIndex* index_ = nullptr;
  EventTable* spans_ = nullptr;
  EventTable* logs_ = nullptr;
  lanes::CustomerShares answers_{"answers under way", 512U << 20U};
};

}  // namespace vigia::storage::store::rocksdb::events
