// How many requests of one customer are under way, so that one cannot take the stores from all.
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

   private:
    friend class InFlight;
    struct Counts {
      std::mutex mutex;
      std::map<std::string, std::size_t, std::less<>> by_customer;
    };
    Place(std::shared_ptr<Counts> counts, std::string customer)
        : counts_(std::move(counts)), customer_(std::move(customer)) {}
    std::shared_ptr<Counts> counts_;  // shared by all places and the limiter; null after a move
    std::string customer_;
  };

  explicit InFlight(std::size_t most) : most_(most), counts_(std::make_shared<Place::Counts>()) {}

  /// A place, or nothing where the customer has `most` already. Operators share one count.
  std::optional<Place> enter(const std::optional<CustomerId>& customer);

 private:
  std::size_t most_;
  std::shared_ptr<Place::Counts> counts_;
};

}  // namespace vigia::router
