#include "services/storage/store/rocksdb/row_check.hpp"

#include <map>

#include <gmock/gmock.h>

#include "services/storage/store/rocksdb/events/testing/event_table_fixture.hpp"
#include "services/storage/store/rocksdb/row_owner.hpp"

namespace vigia::storage::store::rocksdb {
namespace {

class RowCheckTest : public events::EventTableTest {
 protected:
  void fill() {
    written(*spans_, *index_, "cliente-a",
            events::request_of("cliente-a", {events::span(1, "get"), events::span(2, "put")}));
    written(*logs_, *index_, "cliente-a",
            events::request_of("cliente-a", {events::log_record(events::kNowNs, "a line")}));
    const auto customer = index_->number_of(CustomerId::parse("cliente-a").value()).value();
    std::vector<index::UnresolvedSeries> series = {
        {customer, Labels::from({{"__name__", "up"}, {"job", "x"}}), {}, {}, false, {7, 9}}};
    ASSERT_TRUE(index_->resolve(series) && index_->note_days(series));
  }
  // Of each kind of row, by what owner_of calls it, how many are sound.
  std::map<std::string, int> sound(const std::function<void(std::string&)>& change) {
    std::map<std::string, int> found;
    rows_.clear();
    for (const kv::Family family :
         {kv::Family::kIndex, kv::Family::kIdentity, kv::Family::kSpans, kv::Family::kLogs}) {
      const auto scan = store_->scan(family, "", "");
      while (scan->next()) {
        const auto owner = owner_of(family, scan->key());
        EXPECT_TRUE(owner.has_value());
        std::string value(scan->value());
        if (!value.empty()) change(value);
        int& count = found[std::string(owner->kind)];
        ++rows_[std::string(owner->kind)];
        if (check_index_row(family, scan->key(), value)) ++count;
      }
    }
    return found;
  }

  std::map<std::string, int> rows_;
};

TEST_F(RowCheckTest, EachKindOfRowIsReadAndWhatIsNoneIsTold) {
  fill();
  const auto all = sound([](std::string&) {});
  EXPECT_EQ(all, rows_) << "nothing that was written is called damaged";
  for (const char* kind : {"series", "hashes", "label values", "copies of labels", "spans",
                           "log records", "resources and scopes", "index of spans",
                           "index of log records", "copies of resources and scopes"}) {
    EXPECT_GT(all.at(kind), 0) << kind;
  }
  const auto cut = sound([](std::string& value) { value.pop_back(); });
  for (const char* kind :
       {"series", "hashes", "label values", "copies of labels", "spans", "log records"}) {
    EXPECT_EQ(cut.at(kind), 0) << kind;
  }
  const auto of_another_form = sound([](std::string& value) { value[0] = '\x7f'; });
  for (const char* kind :
       {"spans", "log records", "resources and scopes", "copies of resources and scopes"}) {
    EXPECT_EQ(of_another_form.at(kind), 0) << kind;
  }
  // Beside the names in it, which have no value: the blocks.
  EXPECT_LT(of_another_form.at("index of spans"), all.at("index of spans"));
  EXPECT_LT(of_another_form.at("index of log records"), all.at("index of log records"));
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb
