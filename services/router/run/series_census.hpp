// How many series the selectors of a query have, asked of the store that evaluates it.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "libs/base/task.hpp"
#include "libs/promql/ast.hpp"
#include "libs/promql/result_memory.hpp"
#include "libs/promql/time_range.hpp"
#include "services/router/access/byte_shares.hpp"
#include "services/router/access/caller.hpp"
#include "services/router/access/interest.hpp"
#include "services/router/json/label_sets.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::run {

/// Series of one selector over the time that it looks at: all of them by their labels, or their
/// number alone, where the store has no way to name some of them.
struct Census {
  std::uint64_t count = 0;
  std::optional<json::LabelSets> series;
  std::optional<access::ByteShares::HeldBytes> held =
      std::nullopt;  ///< of the customer's, for `series`
};

/// What was found of some selectors, and what is assumed of the others. One thread.
class CountedSeries final : public promql::SeriesCounts {
 public:
  CountedSeries(const std::vector<std::shared_ptr<const Census>>& found,
                promql::AssumedSeries others)
      : found_(found), others_(others) {}
  std::uint64_t count(std::size_t selector) const override;
  std::uint64_t groups(std::size_t selector, const std::vector<std::string>& labels) const override;
  std::uint64_t alike(std::size_t selector, const promql::VectorMatching& matching) const override;
  std::uint64_t label_bytes(std::size_t selector) const override;

 private:
  using Key = std::tuple<const Census*, std::vector<std::string>, int>;

  const json::LabelSets* series_of(std::size_t selector) const;
  template <typename Look>
  std::uint64_t looked_at(std::size_t selector, Key key, const Look& look) const;

  const std::vector<std::shared_ptr<const Census>>& found_;  // null: not known
  const promql::AssumedSeries others_;
  mutable std::map<Key, std::uint64_t> known_;
  mutable std::uint64_t looks_ = 0;  // at series
};

/// One selector, and whose it is.
struct CensusQuestion {
  access::Caller caller;
  promql::Selector selector;  ///< fenced
  promql::TimeRange range;
  std::optional<std::size_t> member;  ///< the hot store to ask; none: those behind prometheus-query
  Duration timeout{0};
  std::shared_ptr<access::Interest> interest;
};

/// More are not counted: a query that reads so many of one selector fits nowhere.
inline constexpr std::uint64_t kCensusMax = 200'000;

/// Asks within the turn of the query that is counted, and waits in no row. A store that can, is
/// asked for the labels with a limit, which costs it a look into its index; a hot store of 2.x,
/// which would make the whole list whatever its length, for the number. Errors are those of
/// Upstream::ask. Any thread.
void take_census(stores::Stores& stores, const CensusQuestion& question,
                 Task<void(Result<Census>)> done);

}  // namespace vigia::router::run
