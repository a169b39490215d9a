// The short numbers by which the write-ahead log and the open series name customers. They belong to
// one instance and its folder: no store's contract speaks of them.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::customers {

/// A customer's number, from 1, given out once and for ever; 0: none.
struct CustomerNumber {
  std::uint32_t value = 0;
  auto operator<=>(const CustomerNumber&) const = default;
};

/// Thread contract: any thread.
class CustomerNumbers {
 public:
  virtual ~CustomerNumbers() = default;
  /// Given out where the customer has none yet, durable when it returns. kUnavailable or kCorrupt
  /// from where the numbers lie.
  virtual Result<CustomerNumber> number_of(const CustomerId& customer) = 0;
  /// Nothing for a number that was never given out.
  virtual std::optional<CustomerId> id_of(CustomerNumber number) const = 0;
  /// Keeps chunks of a number that nobody has, as durable as ChunkStore::put, so that they are
  /// their customer's again where it is found out whose the number was. Without that they would
  /// stay in the write-ahead log for ever, and it with all that came after them.
  virtual Result<void> keep_unowned(CustomerNumber number,
                                    std::span<const store::ClosedChunk> chunks) = 0;
};

}  // namespace vigia::storage::customers
