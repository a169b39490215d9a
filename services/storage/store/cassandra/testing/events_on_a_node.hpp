// Spans and log records of one customer in a keyspace of a node, for tests of their indexes.
#pragma once

#include <memory>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "services/storage/store/cassandra/testing/contract_stores.hpp"
#include "services/storage/store/testing/otlp_bodies.hpp"

namespace vigia::storage::store::cassandra {

class EventsOnANode : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kDay = 20'000;
  static constexpr TimestampNs kStartNs = TimestampNs{kDay} * 86'400 * 1'000'000'000;

  /// Another instance on the keyspace.
  std::unique_ptr<CassandraColdStore> opened(std::size_t part_bytes = kEventPartBytes) {
    ColdStoreSettings settings = OnCassandra::settings_of(first_.shared);
    settings.event_part_bytes = part_bytes;
    return CassandraColdStore::open(*first_.shared.session, settings, first_.clock).value();
  }
  /// {} in `words` is the keyspace.
  void run(const std::string& words) {
    const auto text = fmt::format(fmt::runtime(words), first_.shared.settings.keyspace);
    ASSERT_TRUE(first_.shared.session->run(text)) << text;
  }
  std::size_t rows_of(const std::string& table) {
    const auto all =
        first_.shared.session
            ->prepare({fmt::format("SELECT * FROM {}.{}", first_.shared.settings.keyspace, table)})
            .value();
    return first_.shared.session->fetch({*all, {}, "", std::chrono::seconds(20)})->rows();
  }

  const CustomerId a_ = CustomerId::parse("cliente-a").value();
  const WorkLimit unlimited_;
  OnCassandra first_;
};

}  // namespace vigia::storage::store::cassandra
