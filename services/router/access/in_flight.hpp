// How many requests of one customer are under way and how large their answers, so that one cannot
// take stores and memory from all.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "libs/model/ids.hpp"

namespace vigia::router {

/// Any thread. Places may outlive it: they share the counts.
class InFlight {
 public:
  /// One request's place, given back when it is destroyed.
  class Place {
   public:
    Place(Place&& other) noexcept = default;
    Place& operator=(Place&&) noexcept = delete;
    ~Place();
    /// Counts the bytes of an answer until the place is given back. False where the customer's
    /// answers would be more than its bound together; one alone always fits.
    bool take_bytes(std::size_t bytes);

   private:
    friend class InFlight;
    struct Counts {
      std::mutex mutex;
      struct Customer {
        std::size_t requests = 0;
        std::size_t bytes = 0;
      };
      std::size_t bytes_most = 0;
      std::map<std::string, Customer, std::less<>> by_customer;
    };
    Place(std::shared_ptr<Counts> counts, std::string customer)
        : counts_(std::move(counts)), customer_(std::move(customer)) {}
    std::shared_ptr<Counts> counts_;  // shared by all places and the limiter; null after a move
    std::string customer_;
    std::size_t bytes_ = 0;
  };

  InFlight(std::size_t most, std::size_t bytes_most)
      : most_(most), counts_(std::make_shared<Place::Counts>()) {
    counts_->bytes_most = bytes_most;
  }

  /// A place, or nothing where the customer has `most` already. Operators share one count.
  std::optional<Place> enter(const std::optional<CustomerId>& customer);

 private:
  std::size_t most_;
  std::shared_ptr<Place::Counts> counts_;
};

}  // namespace vigia::router
