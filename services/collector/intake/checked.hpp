// What the check of a request has found.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "libs/model/ids.hpp"
#include "libs/model/signal.hpp"
#include "libs/model/verdicts.hpp"

namespace vigia::collector::intake {

/// What of a request in a Prometheus' own form was taken, counted as its protocol counts.
struct Written {
  std::uint64_t samples = 0;
  std::uint64_t histograms = 0;
  std::uint64_t exemplars = 0;
};

struct Checked {
  Verdicts verdicts;
  Written written;
  /// By reason, of its first item: what the reason does not say, such as the label and its size.
  std::array<std::string, kRejectReasonCount> why{};
  std::uint64_t empty_envelopes = 0;  ///< resources, scopes and metrics without an item
  /// Bytes that the accepted items become further on: each point's series with all their labels,
  /// each span or record with its resource and scope.
  std::uint64_t expanded_bytes = 0;
  std::uint64_t newest_ns = 0;      ///< latest time of an accepted point
  std::uint64_t values = 0;         ///< of metrics: those of all series that accepted points become
  std::uint64_t deltas = 0;         ///< of accepted points those that are to be added up
  std::uint64_t unknown_bytes = 0;  ///< outside of items, in fields that OTLP does not know
  std::uint64_t timeless = 0;       ///< sound spans without a start, records without any time
  /// Of metrics, where the customer has several hot shards: which of them its nodes lie in, by
  /// place, the first in the lowest bit.
  std::uint32_t shards = 0;

  /// Of what was taken all the same: a sentence for its sender; "": none.
  std::string warning = {};

  /// At the end of the check: a request of which no item is known, though it has unknown fields,
  /// is not acknowledged without a word.
  void warn_of_unknown(Signal signal);
  void reject(std::uint32_t item, RejectReason reason, std::string_view more = {});
  /// Of what may be expanded in one request.
  bool has_room_for(std::uint64_t bytes, std::uint64_t bytes_max) const {
    return expanded_bytes + bytes <= bytes_max;
  }
  /// Adds to expanded_bytes, or rejects the item where that would pass `bytes_max`.
  void expand(std::uint32_t item, std::uint64_t bytes, std::uint64_t bytes_max) {
    if (has_room_for(bytes, bytes_max)) [[likely]] {
      expanded_bytes += bytes;
    } else {
      reject_expanded(item, bytes_max);
    }
  }

 private:
  void reject_expanded(std::uint32_t item, std::uint64_t bytes_max);
};

/// "a span of 5000000 bytes, 4194304 may be".
std::string item_size_text(Signal signal, std::size_t bytes);

/// Why an item is refused of which the request has no room for what it becomes.
std::string expanded_text(std::uint32_t item, std::uint64_t bytes_max);

/// Why an item without customer.id is refused, and what its sender can do.
std::string no_customer_text(const CustomerId& customer);

/// Sentence for a receipt: "3 of 10 data points refused: 2 future (…), 1 reserved (…)", and the
/// warning; "" where nothing was refused and there is none.
std::string describe(Signal signal, const Checked& checked);

}  // namespace vigia::collector::intake
