#include "services/monitor/store/unreadable_rows.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "services/monitor/channels/channels.hpp"
#include "services/monitor/customers/customers.hpp"
#include "services/monitor/nodes/nodes.hpp"
#include "services/monitor/store/audit.hpp"
#include "services/monitor/store/testing/scratch_database.hpp"
#include "services/monitor/tokens/tokens.hpp"
#include "services/monitor/users/users.hpp"

namespace vigia::monitor::store {
namespace {

const CustomerId kA = *CustomerId::parse("cliente-a");

/// A list that many customers' things are read by: two rows of it, what spoils one of them past
/// this program, and how many are read.
struct List {
  const char* name;
  std::function<Result<void>(DatabaseConnection&, int number)> put;
  const char* spoil;
  std::function<Result<std::size_t>(DatabaseConnection&)> count;
};

void PrintTo(const List& list, std::ostream* out) { *out << list.name; }

template <typename Done>
Result<void> done(Done outcome) {
  if (!outcome) return forward(outcome);
  return {};
}

template <typename Things>
Result<std::size_t> size_of(Things things) {
  if (!things) return forward(things);
  return things->size();
}

const std::vector<List> kLists = {
    {"customers",
     [](DatabaseConnection& c, int number) {
       const auto id = *CustomerId::parse("cliente-" + std::to_string(number));
       return done(customers::insert_customer({.id = id, .name = "A", .hot_shard = "hot-0"}, c));
     },
     "UPDATE customers SET id = 'No Good' WHERE id = 'cliente-1'",
     [](DatabaseConnection& c) { return size_of(customers::list_customers(c)); }},
    {"nodes",
     [](DatabaseConnection& c, int number) {
       const auto id = *NodeId::parse("web-" + std::to_string(number));
       return done(nodes::register_node({kA, id, "", "", "", true, 1, 0, 0}, c));
     },
     "UPDATE nodes SET id = 'No Good' WHERE id = 'web-1'",
     [](DatabaseConnection& c) { return size_of(nodes::list_all_nodes(c)); }},
    {"tokens",
     [](DatabaseConnection& c, int number) {
       const auto id = std::to_string(number);
       return done(tokens::insert_token({id, kA, "n", "ingest", id, "root"}, c));
     },
     "UPDATE tokens SET customer_id = 'No Good' WHERE id = '1'",
     [](DatabaseConnection& c) { return size_of(tokens::list_live_tokens(c)); }},
    {"users",
     [](DatabaseConnection& c, int number) {
       const auto id = std::to_string(number);
       return done(users::insert_user({id, kA, "user" + id, "h", true, 1, 0}, c));
     },
     // Whoever spoils the id alone is not read as another's: a list is asked for by its owner.
     "UPDATE users SET customer_id = 'No Good' WHERE id = '1'",
     [](DatabaseConnection& c) -> Result<std::size_t> {
       std::size_t found = 0;
       for (const char* name : {"user1", "user2"}) {
         auto user = users::find_user_by_name(name, c);
         if (!user) return forward(user);
         found += *user ? 1U : 0U;
       }
       return found;
     }},
    {"channels",
     [](DatabaseConnection& c, int number) {
       return channels::insert_channel(
           {std::to_string(number), kA, "webhook", "https://x.example/h", "", 1}, c);
     },
     "UPDATE channels SET customer_id = 'No Good' WHERE id = '1'",
     [](DatabaseConnection& c) { return size_of(channels::list_all_channels(c)); }},
    {"audit",
     [](DatabaseConnection& c, int /*number*/) {
       AuditEntry entry;
       entry.action = "customer.create";
       return append_audit(entry, c);
     },
     // Nothing there can be changed: the newest entry is one more.
     "INSERT INTO audit SELECT 3, 1, '', '', 'No Good', '', '', '', ''",
     [](DatabaseConnection& c) { return size_of(list_audit(std::nullopt, 0, 2, c)); }},
};

class ListWithABadRow : public ::testing::TestWithParam<List> {
 protected:
  template <typename Function>
  auto write(Function function) {
    auto outcome = (*database_).write(function);
    EXPECT_TRUE(outcome.has_value()) << outcome.error().message;
    return outcome;
  }
  std::size_t count() {
    auto found = (*database_).read(GetParam().count);
    EXPECT_TRUE(found.has_value()) << found.error().message;
    return found.value_or(0);
  }
  ScratchDatabase database_;
};

TEST_P(ListWithABadRow, LeavesOutThatRowAloneAndCountsItOnce) {
  for (const int number : {1, 2}) {
    write([&](DatabaseConnection& c) { return GetParam().put(c, number); });
  }
  EXPECT_EQ(count(), 2U);
  EXPECT_EQ((*database_).unreadable_rows(), 0U);
  write([&](DatabaseConnection& c) { return c.execute(GetParam().spoil, {}); });
  EXPECT_EQ(count(), 1U);
  EXPECT_EQ(count(), 1U);
  EXPECT_EQ((*database_).unreadable_rows(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Of, ListWithABadRow, ::testing::ValuesIn(kLists),
                         [](const auto& list) { return std::string(list.param.name); });

// An entry that nobody can read was changed: the chain says so, and what people do is noted on.
TEST(AuditWithABadRow, GoesOnAndIsBrokenThere) {
  ScratchDatabase database;
  const auto append = [&] {
    return (*database).write([](DatabaseConnection& c) {
      AuditEntry entry;
      entry.action = "customer.create";
      return append_audit(entry, c);
    });
  };
  ASSERT_TRUE(append().has_value());
  ASSERT_TRUE((*database).write([](DatabaseConnection& c) {
    return c.execute("INSERT INTO audit SELECT 2, 1, '', '', 'No Good', '', '', '', 'x'", {});
  }));
  ASSERT_TRUE(append().has_value());
  const auto walked = (*database).read([](DatabaseConnection& c) { return verify_audit(c); });
  ASSERT_TRUE(walked.has_value());
  EXPECT_EQ(walked->entries, 1);
  EXPECT_EQ(walked->broken_at, 2);
}

// A number that is none is read as 0: it costs the row its number.
TEST(UnreadableRows, AWrongNumberCostsNoOtherRow) {
  ScratchDatabase database;
  const auto customers = [&] {
    return (*database).read([](DatabaseConnection& c) { return customers::list_customers(c); });
  };
  for (const char* id : {"a", "b"}) {
    ASSERT_TRUE((*database).write([&](DatabaseConnection& c) {
      return customers::insert_customer({.id = *CustomerId::parse(id), .name = id, .created_ms = 5},
                                        c);
    }));
  }
  ASSERT_TRUE((*database).write([](DatabaseConnection& c) {
    return c.execute("UPDATE customers SET created_ms = 'x' WHERE id = 'a'", {});
  }));
  ASSERT_TRUE(customers().has_value());
  EXPECT_EQ(customers()->size(), 2U);
  EXPECT_EQ(customers()->at(1).created_ms, 5);
}

TEST(UnreadableRows, CountsEachOnceUpToItsBound) {
  UnreadableRows rows;
  const Error why{ErrorCode::kInvalid, "no id"};
  rows.note("nodes", "a b", why);
  rows.note("nodes", "a b", why);
  rows.note("users", "a b", why);
  EXPECT_EQ(rows.count(), 2U);
  for (std::size_t i = 0; i <= kUnreadableRowsMax; ++i) rows.note("nodes", std::to_string(i), why);
  EXPECT_EQ(rows.count(), kUnreadableRowsMax);
  EXPECT_EQ(name_of_row(Row({Value(std::int64_t{7}), Value(std::string("x\ny"))})), "7 x y");
}

}  // namespace
}  // namespace vigia::monitor::store
