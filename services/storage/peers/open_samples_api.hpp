// POST /api/v1/open_samples: what this instance has open, for those that share its store.
#pragma once

#include <functional>
#include <optional>

#include "libs/net/message.hpp"
#include "services/storage/heads/head_set.hpp"
#include "services/storage/heads/stored_series.hpp"
#include "services/storage/lanes/customer_shares.hpp"
#include "services/storage/peers/open_message.hpp"
#include "services/storage/read/series_search.hpp"
#include "services/storage/store/sharing_number.hpp"

namespace vigia::storage::peers {

/// Asks nobody else and reads no store: an answer takes as long as copying it. Thread contract: any
/// thread.
class OpenSamplesApi {
 public:
  /// An answer ends with the series that makes it larger.
  static constexpr std::size_t kAnswerBytes = 2U << 20U;
  /// Or that of which so much was looked at, whatever of it is asked for: an answer has to come
  /// before whoever asks has lost patience.
  static constexpr std::size_t kLookedBytes = 16U << 20U;

  using OwnNumber = std::function<std::optional<store::SharingNumber>()>;
  /// All must outlive it.
  OpenSamplesApi(const heads::HeadSet& heads, heads::StoredSeries& series,
                 lanes::CustomerShares& answers, OwnNumber own_number)
      : heads_(heads), series_(series), answers_(answers), own_number_(std::move(own_number)) {}

  /// Of X-Vigia-Customer's series alone (`_provider` included), whatever ids are asked for; without
  /// it who answers, and nothing else. 415 for another version's question, 400 for one that cannot
  /// be read, 503 where the customer's other answers hold too much memory.
  net::Response handle(const net::Request& request) const;

 private:
  Result<std::string> rows_of(const CustomerId& customer, const OpenAsked& asked,
                              lanes::AnswerMemory& memory) const;
  /// How much was looked at.
  Result<std::size_t> add_series(const CustomerId& customer, store::SeriesId series,
                                 const OpenAsked& asked, lanes::AnswerMemory& memory,
                                 std::string& body) const;

  const heads::HeadSet& heads_;
  heads::StoredSeries& series_;
  lanes::CustomerShares& answers_;
  const OwnNumber own_number_;
};

}  // namespace vigia::storage::peers
