// How many requests of one customer are under way, so that one cannot take the stores from all.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "libs/model/ids.hpp"
#include "services/router/access/byte_shares.hpp"

namespace vigia::router::access {

/// Any thread. Places may outlive it: they share the counts.
class InFlight {
 public:
  /// One request's place, given back when it is destroyed.
  class Place {
   public:
    Place(Place&& other) noexcept = default;
    Place& operator=(Place&&) noexcept = delete;
    ~Place();
    /// Counts the bytes of an answer until the place is given back. False where that is over the
    /// customer's share (ByteShares).
    bool take_bytes(std::size_t bytes) { return answer_.grow(bytes); }
    /// The bytes alone; the place is given back when this is destroyed.
    ByteShares::HeldBytes take_answer() { return std::move(answer_); }

   private:
    friend class InFlight;
    struct Counts {
      std::mutex mutex;
      std::map<std::string, std::size_t, std::less<>> by_customer;
    };
    Place(std::shared_ptr<Counts> counts, std::string customer, ByteShares::HeldBytes answer)
        : counts_(std::move(counts)), customer_(std::move(customer)), answer_(std::move(answer)) {}
    std::shared_ptr<Counts> counts_;  // shared by all places and the limiter; null after a move
    std::string customer_;
    ByteShares::HeldBytes answer_;
  };

  InFlight(std::size_t most, const ByteShares& shares)
      : most_(most), shares_(shares), counts_(std::make_shared<Place::Counts>()) {}

  /// A place, or nothing where the customer has `most` already. Operators share one count.
  std::optional<Place> enter(const std::optional<CustomerId>& customer);

 private:
  std::size_t most_;
  ByteShares shares_;
  std::shared_ptr<Place::Counts> counts_;
};

}  // namespace vigia::router::access
