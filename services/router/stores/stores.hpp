// The servers behind the router, and which of them a caller's data lies in.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/promql/language.hpp"
#include "services/router/access/byte_shares.hpp"
#include "services/router/access/caller.hpp"
#include "services/router/access/query_weights.hpp"
#include "services/router/coverage/cold_holes.hpp"
#include "services/router/coverage/coverage.hpp"
#include "services/router/coverage/hot_member.hpp"
#include "services/router/coverage/known_cold_store.hpp"
#include "services/router/spool/spool.hpp"
#include "services/router/stores/asked_shard.hpp"
#include "services/router/stores/settings.hpp"
#include "services/router/upstream/readers.hpp"
#include "services/router/upstream/store_watch.hpp"
#include "services/router/upstream/upstream.hpp"

namespace vigia::router::stores {

/// Members in order of start. Any thread.
class Stores {
 public:
  /// The references must outlive it.
  Stores(const StoresSettings& settings, upstream::UpstreamClients clients,
         service::MetricRegistry& metrics, const Clock& clock);

  /// The hot shard that holds all the caller may see: the customer's, where that is one; for an
  /// operator over all customers the only one there is. Nothing where there is none such.
  std::optional<std::size_t> shard_of(const access::Caller& caller) const;
  /// The one that holds that node's series, of a customer whose series are split by node.
  std::optional<std::size_t> shard_of_node(const access::Caller& caller,
                                           std::string_view node_id) const;
  /// The hot shards that hold something the caller may see: that one, all of the customer's, or for
  /// an operator over all customers every one.
  std::vector<const AskedShard*> hot_of(const access::Caller& caller) const;
  /// The Prometheus of that shard, with what they hold for this caller. One customer always asks
  /// the same one first, whose caches are warm for it then, unless that one does not answer.
  std::vector<coverage::HotMember> members_of(std::size_t shard,
                                              const access::Caller& caller) const;
  /// The numbers of all others.
  std::vector<std::size_t> members_beside(const std::optional<std::size_t>& shard) const;
  /// From when on that Prometheus holds everything for this caller.
  coverage::Covered covered(std::size_t member, const access::Caller& caller) const;

  /// Every Prometheus of hot, shard by shard.
  const std::vector<upstream::Upstream>& hot() const { return hot_; }
  /// In the order of the settings.
  const std::vector<AskedShard>& shards() const { return shards_; }
  /// Null where the configuration has none.
  const upstream::Upstream* query() const { return query_ ? &*query_ : nullptr; }
  const upstream::Upstream* cold() const { return cold_ ? &*cold_ : nullptr; }
  coverage::Coverage& coverage() { return *coverage_; }
  const upstream::StoreWatch& watch() const { return *watch_; }
  /// What every Prometheus takes that may have to evaluate a query: read as the hot store's, which
  /// is 2.x until one has answered. Features of one that does not tell count as switched on.
  promql::Language language() const;
  /// What prometheus-query has said of its version last; "" before, and where there is none.
  std::string query_version() const;
  /// What storage lacks for now, as it said when it was last looked at (upstream::is_of_some); ""
  /// where it is whole or there is none.
  std::string cold_gaps() const;
  /// Nothing where there is no long-term store, or the one that was looked at last is the known
  /// one.
  std::optional<coverage::ColdReplacement> cold_replacement() const {
    return known_cold_.replacement();
  }
  coverage::KnownColdStore& known_cold() { return known_cold_; }
  /// What was lost on the way to the long-term store.
  const coverage::ColdHoles& cold_holes() const { return *cold_holes_; }
  /// Of answers' bytes, by customer: those that arrive and those that wait to be read.
  const access::ByteShares& shares() const { return shares_; }
  /// Where large answers lie.
  const spool::Spool& spool() const { return spool_; }
  /// For what takes long of an answer.
  upstream::Readers& readers() { return readers_; }
  /// Ends what reads answers, before the parts go that it speaks to.
  void stop_reading() { readers_.stop(); }
  /// Of what was asked before.
  access::QueryWeights& weights() { return weights_; }
  const StoresSettings& settings() const { return settings_; }
  const Clock& clock() const { return clock_; }

 private:
  /// Where the Prometheus of a shard stand among all.
  struct Places {
    std::size_t first = 0;
    std::size_t count = 1;
  };

  std::optional<std::size_t> find_shard(std::string_view name) const;
  void add_shard(const HotShard& shard, const Places& places);
  std::vector<coverage::HotStore> hot_stores() const;
  std::vector<upstream::WatchedStore> watched() const;
  void heed(std::size_t index, const upstream::StoreHealth& health);
  void heed_identity(const upstream::StoreWatch::Identity& identity);

  const StoresSettings& settings_;
  const Clock& clock_;
  access::ByteShares shares_;
  const spool::Spool spool_;
  access::QueryWeights weights_;
  coverage::KnownColdStore known_cold_;  // before the threads that write its file
  upstream::Readers readers_;
  std::vector<upstream::Upstream> hot_;
  std::vector<Places> places_;  // by shard
  std::vector<AskedShard> shards_;
  std::optional<upstream::Upstream> query_;
  std::optional<upstream::Upstream> cold_;
  std::unique_ptr<coverage::Coverage> coverage_;
  std::unique_ptr<coverage::ColdHoles> cold_holes_;
  // Of the watch's thread.
  bool is_query_silent_ = false;
  bool is_cold_silent_ = false;
  std::unique_ptr<upstream::StoreWatch> watch_;
};

}  // namespace vigia::router::stores
