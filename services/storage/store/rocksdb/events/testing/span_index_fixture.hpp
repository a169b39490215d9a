// The index of spans and searches in it, on RocksDB.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "services/storage/store/rocksdb/events/damaged_items.hpp"
#include "services/storage/store/rocksdb/events/late_index.hpp"
#include "services/storage/store/rocksdb/events/span_search.hpp"
#include "services/storage/store/rocksdb/events/testing/event_table_fixture.hpp"
#include "services/storage/store/testing/otlp_bodies.hpp"

namespace vigia::storage::store::rocksdb::events {

class SpanIndexTest : public EventTableTest {
 protected:
  EventCounts write(const std::vector<std::string>& spans, const std::string& service = "shop") {
    return written(*spans_, *index_, "cliente-a",
                   export_of("cliente-a", spans, {{"service.name", service}}));
  }
  customers::CustomerNumber customer() {
    return index_->number_of(CustomerId::parse("cliente-a").value()).value();
  }
  static TraceQuery all(const std::string& service = "shop") {
    TraceQuery query;
    query.to_ns = UINT64_MAX;
    query.service = service;
    return query;
  }
  std::vector<TracePlace> find(const TraceQuery& query) {
    std::vector<TracePlace> found;
    const auto end = spans_->find_traces(
        customer(), query,
        [&](const TracePlace& place) {
          found.push_back(place);
          return true;
        },
        unlimited_);
    EXPECT_TRUE(end.has_value() && end->is_whole);
    return found;
  }
  struct Searched {
    std::vector<TracePlace> found;
    TraceEnd end;
  };
  // `memory`: of the page before, and then of this one.
  Searched search(const TraceQuery& query, const SearchBounds& bounds, const WorkLimit& limit = {},
                  LatestSpans* memory = nullptr) {
    Searched searched;
    std::atomic<std::uint64_t> count{0};
    DamagedItems damaged(count);
    KnownNames names;
    LateIndex late(*store_, customer(), 1, names, damaged);
    const EventStore::TraceVisit visit = [&](const TracePlace& place) {
      searched.found.push_back(place);
      return true;
    };
    SpanSearch search(*store_, customer(), query, visit, damaged, bounds);
    if (memory != nullptr) search.recall(std::move(*memory));
    const auto end = search.run(days(), [](std::uint32_t) { return false; }, late, limit);
    if (memory != nullptr) *memory = search.take_latest();
    EXPECT_TRUE(end.has_value());
    if (end) searched.end = *end;
    return searched;
  }
  std::vector<TracePlace> in_pages(TraceQuery query, const SearchBounds& bounds,
                                   std::size_t traces_max) {
    std::vector<TracePlace> found;
    query.traces_max = traces_max;
    for (int pages = 0; pages < 2'000; ++pages) {
      const Searched page = search(query, bounds);
      found.insert(found.end(), page.found.begin(), page.found.end());
      if (page.end.is_whole && page.found.size() < traces_max) return found;
      query.after = page.end.is_whole ? page.found.back() : page.end.looked_at;
    }
    ADD_FAILURE() << "no end";
    return found;
  }
  std::vector<kv::KeyValue> index_rows() {
    std::vector<kv::KeyValue> rows;
    for (const std::uint32_t day : days()) {
      const std::string prefix = search_key::own(day, customer());
      const auto scan = store_->scan(kv::Family::kSpans, prefix, kv::after_prefix(prefix));
      while (scan->next()) {
        rows.push_back({kv::Family::kSpans, std::string(scan->key()), std::string(scan->value())});
      }
    }
    return rows;
  }
  std::vector<std::uint32_t> days() {
    kv::DaySet days(*store_, kv::Family::kSpans);
    EXPECT_TRUE(days.load().has_value());
    return days.between(0, UINT32_MAX);
  }
  // As an older program left it.
  void forget_index() {
    std::vector<kv::KeyValue> gone = index_rows();
    for (kv::KeyValue& row : gone) row = {row.family, row.key, "", true};
    for (const kv::Family family : {kv::Family::kIndex, kv::Family::kIdentity}) {
      gone.push_back({family, "m/span_index", "", true});
    }
    ASSERT_TRUE(store_->put(gone, kv::Durability::kNow).has_value());
    reopen();
  }
  static std::string id(int number) {
    // Some as of 64 bits, some that share their first half.
    std::string id(kTraceIdBytes, number % 3 == 0 ? '\0' : '\x01');
    if (number % 3 == 1) id[7] = static_cast<char>(number);
    id[8] = '\x01';
    for (std::size_t i = 0; i < 4; ++i) {
      id[15 - i] = static_cast<char>(static_cast<unsigned>(number) >> (8 * i));
    }
    return id;
  }

  const WorkLimit unlimited_;
};

}  // namespace vigia::storage::store::rocksdb::events
