#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "libs/base/fault.hpp"
#include "services/monitor/channels/channels.hpp"
#include "services/monitor/customers/customers.hpp"
#include "services/monitor/nodes/nodes.hpp"
#include "services/monitor/sessions/sessions.hpp"
#include "services/monitor/store/audit.hpp"
#include "services/monitor/store/schema.hpp"
#include "services/monitor/store/testing/old_schema.hpp"
#include "services/monitor/store/testing/scratch_database.hpp"
#include "services/monitor/tokens/tokens.hpp"
#include "services/monitor/users/users.hpp"

namespace vigia::monitor::store {
namespace {

const CustomerId kA = *CustomerId::parse("cliente-a");
const CustomerId kB = *CustomerId::parse("cliente-b");
const NodeId kNode = *NodeId::parse("prod-web-01");
constexpr std::int64_t kNow = 1'795'575'845'123;

customers::CustomerRow customer(const CustomerId& id) {
  customers::CustomerRow made{id, "Empresa Ñandú", true, "hot-0", {}, kNow, kNow};
  made.limits.points_per_second = 10;
  made.limits.active_series = 20;
  return made;
}

class Store : public ::testing::Test {
 protected:
  template <typename Function>
  auto write(Function function) {
    auto outcome = (*database_).write(function);
    EXPECT_TRUE(outcome.has_value()) << outcome.error().message;
    return outcome;
  }
  template <typename Function>
  auto read(Function function) {
    auto outcome = (*database_).read(function);
    EXPECT_TRUE(outcome.has_value()) << outcome.error().message;
    return outcome;
  }
  ScratchDatabase database_;
};

TEST_F(Store, CustomersSurviveARestart) {
  EXPECT_TRUE(
      *write([](DatabaseConnection& c) { return customers::insert_customer(customer(kA), c); }));
  EXPECT_FALSE(
      *write([](DatabaseConnection& c) { return customers::insert_customer(customer(kA), c); }));
  database_.reopen();
  auto found = read([](DatabaseConnection& c) { return customers::find_customer(kA, c); });
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->name, "Empresa Ñandú");
  EXPECT_EQ((*found)->created_ms, kNow);
  EXPECT_EQ((*found)->limits.active_series, 20);
  EXPECT_TRUE((*found)->is_enabled);
  EXPECT_FALSE(
      read([](DatabaseConnection& c) { return customers::find_customer(kB, c); })->has_value());
}

TEST_F(Store, AFailedWriteLeavesNothing) {
  auto outcome = (*database_).write([](DatabaseConnection& c) -> Result<void> {
    EXPECT_TRUE(*customers::insert_customer(customer(kA), c));
    return fail(ErrorCode::kInvalid, "changed my mind");
  });
  EXPECT_FALSE(outcome.has_value());
  EXPECT_TRUE(read([](DatabaseConnection& c) { return customers::list_customers(c); })->empty());
}

// Kind 3: what throws costs its own job, no connection of the pool (which has two here), and leaves
// nothing half done.
TEST_F(Store, AThrowLosesNoConnectionAndNoLock) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(contain_faults("a test", [&] {
      static_cast<void>(
          read([](DatabaseConnection&) -> Result<void> { throw std::runtime_error("read"); }));
    }));
    EXPECT_FALSE(contain_faults("a test", [&] {
      static_cast<void>(write([](DatabaseConnection& c) -> Result<void> {
        EXPECT_TRUE(*customers::insert_customer(customer(kA), c));
        throw std::runtime_error("write");
      }));
    }));
  }
  EXPECT_TRUE(read([](DatabaseConnection& c) { return customers::list_customers(c); })->empty());
  EXPECT_TRUE(
      *write([](DatabaseConnection& c) { return customers::insert_customer(customer(kA), c); }));
}

// D19: the data of a node may hold what the interface refuses.
TEST_F(Store, ANodesRegionIsOneLineWhateverItsDataHolds) {
  nodes::NodeRow node{
      kA, kNode, std::string("a\0b\nc", 5), "\xff" + std::string(500, 'x'), "", true, 1, 0, 1};
  EXPECT_TRUE(*write([&](DatabaseConnection& c) { return nodes::register_node(node, c); }));
  const auto found = read([](DatabaseConnection& c) { return nodes::find_node(kA, kNode, c); });
  EXPECT_EQ((*found)->region, "a b c");
  EXPECT_EQ((*found)->environment, "\xef\xbf\xbd" + std::string(127, 'x'));
}

// R-WEB-10.
TEST_F(Store, ParametersAreNeverSql) {
  const std::string evil = "x'); DROP TABLE customers; --";
  auto one = customer(kA);
  one.name = evil;
  EXPECT_TRUE(*write([&](DatabaseConnection& c) { return customers::insert_customer(one, c); }));
  EXPECT_EQ((*read([](DatabaseConnection& c) { return customers::find_customer(kA, c); }))->name,
            evil);
}

TEST_F(Store, ASecondProcessIsKeptAway) {
  auto second = Database::open(database_.url(), 1);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
}

TEST_F(Store, ANewerSchemaIsRefused) {
  ASSERT_TRUE(write([](DatabaseConnection& c) {
    return c.execute("UPDATE schema_version SET version = :v",
                     {std::int64_t{newest_schema_version()} + 1});
  }));
  database_.close();
  auto opened = Database::open(database_.url(), 1);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalid);
}

std::string golden(const std::string& name) {
  std::ifstream file("tests/golden/monitor/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string schema_of(DatabaseConnection& c) {
  const auto rows =
      c.query("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rootpage, name", {});
  std::string schema;
  for (const auto& row : *rows) schema += row.text(0) + ";\n";
  return schema;
}

TEST_F(Store, TheNewestSchemaIsPinned) {
  std::string schema;
  ASSERT_TRUE(read([&](DatabaseConnection& c) -> Result<void> {
    schema = schema_of(c);
    return {};
  }));
  EXPECT_EQ(schema, golden(fmt::format("schema_v{}.sql", newest_schema_version())));
}

// A released version never changes: databases in the field have it.
TEST_F(Store, ADatabaseOfVersionOneIsBroughtUpToDate) {
  ASSERT_TRUE(write([](DatabaseConnection& c) -> Result<void> {
    auto put = testing::put_old_schema(1, c);
    if (!put) return put;
    std::istringstream lines(
        "INSERT INTO customers VALUES ('cliente-a', 'A', 1, 'hot-0', 7, 8, 1, 1)\n"
        "INSERT INTO channels VALUES "
        "('1', 'cliente-a', 'webhook', 'https://x.example/', '', 1)\n");
    for (std::string line; std::getline(lines, line);) {
      auto done = c.execute(line, {});
      if (!done) return forward(done);
    }
    return {};
  }));
  database_.reopen();
  std::string schema;
  ASSERT_TRUE(read([&](DatabaseConnection& c) -> Result<void> {
    schema = schema_of(c);
    return {};
  }));
  EXPECT_NE(schema.find("spans_per_second"), std::string::npos);
  EXPECT_EQ(
      (*read([](DatabaseConnection& c) { return customers::find_customer(kA, c); }))->language,
      "es");
  const auto channels = read([](DatabaseConnection& c) { return channels::list_all_channels(c); });
  ASSERT_EQ(channels->size(), 1U);
  EXPECT_EQ(channels->front().state, channels::ChannelState::kActive)
      << "it was loaded by the old program";
  EXPECT_EQ((*read([](DatabaseConnection& c) {
              return customers::find_customer(kA, c);
            }))->limits.points_per_second,
            7);
}

// R-SEC-10.
TEST_F(Store, TokensBelongToTheirOwner) {
  tokens::TokenRow token;
  token.id = "t1";
  token.customer = kA;
  token.name = "agents";
  token.scope = "ingest";
  token.token_sha256 = std::string(64, 'a');
  token.created_ms = kNow;
  token.expires_ms = kNow + 10;
  ASSERT_TRUE(write([&](DatabaseConnection& c) { return tokens::insert_token(token, c); }));
  EXPECT_TRUE(read([](DatabaseConnection& c) { return tokens::list_tokens(kB, c); })->empty());
  EXPECT_TRUE(
      read([](DatabaseConnection& c) { return tokens::list_tokens(std::nullopt, c); })->empty());
  EXPECT_FALSE(
      *write([](DatabaseConnection& c) { return tokens::revoke_token(kB, "t1", kNow, c); }));
  EXPECT_FALSE(*write(
      [](DatabaseConnection& c) { return tokens::revoke_token(std::nullopt, "t1", kNow, c); }));
  const auto found = read(
      [](DatabaseConnection& c) { return tokens::find_token_by_hash(std::string(64, 'a'), c); });
  ASSERT_TRUE(found->has_value());
  EXPECT_TRUE((*found)->is_valid(kNow + 9));
  EXPECT_FALSE((*found)->is_valid(kNow + 10));
  EXPECT_TRUE(
      *write([](DatabaseConnection& c) { return tokens::revoke_token(kA, "t1", kNow, c); }));
  EXPECT_TRUE(
      *write([](DatabaseConnection& c) { return tokens::revoke_token(kA, "t1", kNow + 5, c); }));
  const auto tokens = read([](DatabaseConnection& c) { return tokens::list_tokens(kA, c); });
  EXPECT_EQ(tokens->front().revoked_ms, kNow);
  EXPECT_TRUE(read([](DatabaseConnection& c) { return tokens::list_live_tokens(c); })->empty());
}

TEST_F(Store, TokensThatAreDeadCountNotAndAreForgottenByWhatWasMadeSince) {
  const auto insert = [&](const std::string& id, const std::optional<CustomerId>& owner,
                          std::int64_t created_ms, std::int64_t expires_ms) {
    tokens::TokenRow token;
    token.id = id;
    token.customer = owner;
    token.scope = "ingest";
    token.token_sha256 = id;
    token.created_ms = created_ms;
    token.expires_ms = expires_ms;
    ASSERT_TRUE(write([&](DatabaseConnection& c) { return tokens::insert_token(token, c); }));
  };
  insert("revoked", kA, kNow, 0);
  insert("expired", kA, kNow + 1, kNow + 20);
  insert("lives", kA, kNow + 2, 0);
  insert("of-b", kB, kNow, kNow + 1);
  ASSERT_TRUE(*write(
      [](DatabaseConnection& c) { return tokens::revoke_token(kA, "revoked", kNow + 10, c); }));
  const auto valid = [&](std::int64_t now_ms) {
    return *read([&](DatabaseConnection& c) { return tokens::count_valid_tokens(kA, now_ms, c); });
  };
  EXPECT_EQ(valid(kNow + 19), 2U);
  EXPECT_EQ(valid(kNow + 20), 1U);
  EXPECT_EQ(*read([](DatabaseConnection& c) {
    return tokens::count_valid_tokens(std::nullopt, kNow, c);
  }),
            0U);
  const auto left = [&] {
    std::set<std::string> ids;
    const auto tokens = read([](DatabaseConnection& c) { return tokens::list_tokens(kA, c); });
    for (const auto& token : *tokens) {
      ids.insert(token.id);
    }
    return ids;
  };
  const auto forget = [&](std::size_t made_since) {
    ASSERT_TRUE(
        write([&](DatabaseConnection& c) { return tokens::forget_old_tokens(kA, made_since, c); }));
  };
  forget(4);
  EXPECT_EQ(left().size(), 3U) << "so many were never made";
  forget(2);
  EXPECT_EQ(left().size(), 3U) << "they died after the newest were made, whatever time it is";
  insert("later", kA, kNow + 15, 0);
  insert("latest", kA, kNow + 30, 0);
  forget(2);
  EXPECT_EQ(left(), (std::set<std::string>{"expired", "lives", "later", "latest"}));
  forget(1);
  EXPECT_EQ(left(), (std::set<std::string>{"lives", "later", "latest"}));
  EXPECT_EQ(read([](DatabaseConnection& c) { return tokens::list_tokens(kB, c); })->size(), 1U);
}

TEST_F(Store, DisabledUsersCountNotAndTheOldestIsForgottenWithItsSessions) {
  for (int i = 0; i < 4; ++i) {
    const std::string id = "u" + std::to_string(i);
    ASSERT_TRUE(*write([&](DatabaseConnection& c) {
      return users::insert_user(users::UserRow{id, kA, "name" + id, "hash", i == 0, kNow + i, 0},
                                c);
    }));
    ASSERT_TRUE(write([&](DatabaseConnection& c) {
      return sessions::insert_session(
          sessions::SessionRow{"s" + id, "h" + id, id, kNow, kNow, kNow + 100, "", ""}, c);
    }));
  }
  ASSERT_TRUE(*write([](DatabaseConnection& c) {
    return users::insert_user(users::UserRow{"other", kB, "other", "hash", false, kNow, 0}, c);
  }));
  EXPECT_EQ(*read([](DatabaseConnection& c) { return users::count_enabled_users(kA, c); }), 1U);
  ASSERT_TRUE(write([](DatabaseConnection& c) { return users::forget_disabled_users(kA, 2, c); }));
  const auto users = read([](DatabaseConnection& c) { return users::list_users(kA, c); });
  ASSERT_EQ(users->size(), 3U);
  for (const auto& user : *users) EXPECT_NE(user.id, "u1") << "the oldest who may not log in";
  EXPECT_EQ(read([](DatabaseConnection& c) { return users::list_users(kB, c); })->size(), 1U);
  const auto sessions = [&](const std::string& id) {
    return (*read([&](DatabaseConnection& c) {
             return c.query("SELECT id FROM sessions WHERE user_id = :a", {id});
           }))
        .size();
  };
  EXPECT_EQ(sessions("u1"), 0U);
  EXPECT_EQ(sessions("u2"), 1U);
}

TEST_F(Store, UserNamesAreUniqueWhateverTheirCase) {
  const users::UserRow user{"u1", kA, "Ana", "hash", true, kNow, 0};
  const users::UserRow same{"u2", std::nullopt, "ANA", "hash", true, kNow, 0};
  EXPECT_TRUE(*write([&](DatabaseConnection& c) { return users::insert_user(user, c); }));
  EXPECT_FALSE(*write([&](DatabaseConnection& c) { return users::insert_user(same, c); }));
  EXPECT_EQ((*read([](DatabaseConnection& c) { return users::find_user_by_name("aNa", c); }))->id,
            "u1");
  EXPECT_FALSE(
      read([](DatabaseConnection& c) { return users::find_user(kB, "u1", c); })->has_value());
}

TEST_F(Store, EndedSessionsAreNotValid) {
  const auto make = [&](const std::string& id, std::int64_t used, std::int64_t expires) {
    write([&](DatabaseConnection& c) {
      return sessions::insert_session(
          sessions::SessionRow{id, "h" + id, "u1", kNow, used, expires, "1.2.3.4:5", "UA"}, c);
    });
  };
  make("live", kNow, kNow + 100);
  make("idle", kNow - 50, kNow + 100);
  make("over", kNow, kNow);
  const auto all = read([](DatabaseConnection& c) { return sessions::list_sessions("u1", c); });
  ASSERT_EQ(all->size(), 3U);
  for (const sessions::SessionRow& session : *all) {
    EXPECT_EQ(session.is_valid(kNow, 10), session.id == "live") << session.id;
  }
  EXPECT_FALSE(
      *write([](DatabaseConnection& c) { return sessions::end_session("u2", "live", c); }));
}

TEST_F(Store, ARetiredNodeComesBackWithNewValues) {
  const nodes::NodeRow node{kA, kNode, "us-east-1", "production", "10.0.0.1:8080", false, kNow,
                            0,  0};
  EXPECT_TRUE(*write([&](DatabaseConnection& c) { return nodes::register_node(node, c); }));
  EXPECT_FALSE(*write([&](DatabaseConnection& c) { return nodes::register_node(node, c); }));
  EXPECT_FALSE(
      *write([](DatabaseConnection& c) { return nodes::retire_node(kB, kNode, kNow, c); }));
  EXPECT_TRUE(*write([](DatabaseConnection& c) { return nodes::retire_node(kA, kNode, kNow, c); }));
  EXPECT_TRUE(read([](DatabaseConnection& c) { return nodes::list_all_nodes(c); })->empty());
  auto pushed = node;
  pushed.address.clear();
  pushed.is_automatic = true;
  EXPECT_TRUE(*write([&](DatabaseConnection& c) { return nodes::register_node(pushed, c); }));
  const auto nodes = read([](DatabaseConnection& c) { return nodes::list_nodes(kA, c); });
  ASSERT_EQ(nodes->size(), 1U);
  EXPECT_FALSE(nodes->front().is_scraped());
  EXPECT_TRUE(nodes->front().is_automatic);
}

TEST_F(Store, ChannelsBelongToTheirCustomer) {
  const channels::ChannelRow channel{"c1", kA, "webhook", "https://x.example/h", "", kNow};
  ASSERT_TRUE(write([&](DatabaseConnection& c) { return channels::insert_channel(channel, c); }));
  EXPECT_FALSE(*write([](DatabaseConnection& c) { return channels::delete_channel(kB, "c1", c); }));
  EXPECT_TRUE(read([](DatabaseConnection& c) { return channels::list_channels(kB, c); })->empty());
  EXPECT_TRUE(*write([](DatabaseConnection& c) { return channels::delete_channel(kA, "c1", c); }));
}

// Each caller saw the row before the other changed it; what neither named stays as well.
TEST_F(Store, ChangesOfDifferentFieldsNeverUndoEachOther) {
  write([](DatabaseConnection& c) { return customers::insert_customer(customer(kA), c); });
  write([](DatabaseConnection& c) {
    return customers::change_customer({{.id = kA, .is_enabled = false}, {"is_enabled"}}, c);
  });
  write([](DatabaseConnection& c) {
    return customers::change_customer({{.id = kA, .name = "Otra"}, {"name"}}, c);
  });
  write([](DatabaseConnection& c) {
    return customers::change_customer(
        {{.id = kA, .limits = {.bytes_per_second = 9, .active_series = 7}},
         {"active_series", "bytes_per_second"}},
        c);
  });
  const auto changed = *read([](DatabaseConnection& c) { return customers::find_customer(kA, c); });
  EXPECT_EQ(changed->name, "Otra");
  EXPECT_FALSE(changed->is_enabled);
  EXPECT_EQ(changed->limits.points_per_second, 10);
  EXPECT_EQ(changed->limits.bytes_per_second, 9);
  EXPECT_EQ(changed->limits.active_series, 7);

  write([](DatabaseConnection& c) {
    return users::insert_user(users::UserRow{"u1", kA, "ana", "h1", true, kNow, 0}, c);
  });
  write(
      [](DatabaseConnection& c) { return users::change_user(kA, "u1", {.is_enabled = false}, c); });
  EXPECT_TRUE(*write(
      [](DatabaseConnection& c) { return users::replace_password_hash("u1", "h1", "h2", c); }));
  EXPECT_FALSE(*write(
      [](DatabaseConnection& c) { return users::replace_password_hash("u1", "h1", "h3", c); }));
  EXPECT_FALSE(
      *write([](DatabaseConnection& c) { return users::change_user(kB, "u1", {"h4"}, c); }));
  auto user = *read([](DatabaseConnection& c) { return users::find_user(kA, "u1", c); });
  EXPECT_EQ(user->password_hash, "h2");
  EXPECT_FALSE(user->is_enabled);

  const nodes::NodeRow node{kA, kNode, "us-east-1", "production", "10.0.0.1:8080", false, kNow,
                            0,  0};
  write([&](DatabaseConnection& c) { return nodes::register_node(node, c); });
  write([](DatabaseConnection& c) { return nodes::change_node(kA, kNode, {.region = "eu"}, c); });
  write([](DatabaseConnection& c) { return nodes::change_node(kA, kNode, {.address = ""}, c); });
  const auto moved = *read([](DatabaseConnection& c) { return nodes::find_node(kA, kNode, c); });
  EXPECT_EQ(moved->region, "eu");
  EXPECT_EQ(moved->environment, "production");
  EXPECT_FALSE(moved->is_scraped());
}

class AuditLog : public Store {
 protected:
  void append(const std::string& action, std::optional<CustomerId> owner) {
    AuditEntry entry;
    entry.time_ms = kNow;
    entry.actor = "user:admin";
    entry.action = action;
    entry.customer = std::move(owner);
    write([&](DatabaseConnection& c) { return append_audit(entry, c); });
  }
  AuditVerification verify() {
    return *read([](DatabaseConnection& c) { return verify_audit(c); });
  }
};

TEST_F(AuditLog, IsChainedAndListedByCustomer) {
  append("one", kA);
  append("two", kB);
  append("three", std::nullopt);
  EXPECT_EQ(verify().entries, 3);
  EXPECT_EQ(verify().broken_at, std::nullopt);
  const auto all = read([](DatabaseConnection& c) { return list_audit(std::nullopt, 0, 10, c); });
  ASSERT_EQ(all->size(), 3U);
  EXPECT_EQ(all->front().action, "three");
  const auto own = read([](DatabaseConnection& c) { return list_audit(kA, 0, 10, c); });
  ASSERT_EQ(own->size(), 1U);
  EXPECT_EQ(own->front().action, "one");
  EXPECT_EQ(read([](DatabaseConnection& c) { return list_audit(std::nullopt, 2, 10, c); })->size(),
            1U);
}

TEST_F(AuditLog, RefusesChanges) {
  append("one", kA);
  auto changed = (*database_).write([](DatabaseConnection& c) {
    return c.execute("UPDATE audit SET actor = 'x'", {});
  });
  EXPECT_FALSE(changed.has_value());
  auto deleted =
      (*database_).write([](DatabaseConnection& c) { return c.execute("DELETE FROM audit", {}); });
  EXPECT_FALSE(deleted.has_value());
}

// R-WEB-13.
TEST_F(AuditLog, VerificationNamesTheFirstForgedEntry) {
  append("one", kA);
  append("two", kA);
  append("three", kA);
  write([](DatabaseConnection& c) { return c.execute("DROP TRIGGER audit_no_update", {}); });
  write([](DatabaseConnection& c) {
    return c.execute("UPDATE audit SET detail = 'forged' WHERE sequence = 2", {});
  });
  EXPECT_EQ(verify().broken_at, 2);
}

TEST_F(AuditLog, VerificationSeesAMissingEntry) {
  append("one", kA);
  append("two", kA);
  append("three", kA);
  write([](DatabaseConnection& c) { return c.execute("DROP TRIGGER audit_no_delete", {}); });
  write(
      [](DatabaseConnection& c) { return c.execute("DELETE FROM audit WHERE sequence = 2", {}); });
  EXPECT_EQ(verify().broken_at, 3);
}

}  // namespace
}  // namespace vigia::monitor::store
