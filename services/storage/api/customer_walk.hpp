// A page that goes over one customer's items after another's: for operators, who ask outside of any
// fence.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "services/storage/read/series_search.hpp"

namespace vigia::storage::api {

/// Customers in an order that is the same for each page. Thread contract: one thread.
class CustomerWalk {
 public:
  /// Those inside the fence and, where a customer_id is asked for, of that id.
  CustomerWalk(const store::Catalog& catalog, const read::Fence& fence,
               const store::LabelMatchers& matchers = {})
      : customers_(read::customers_for(catalog, fence, matchers)) {
    std::sort(customers_.begin(), customers_.end());
  }

  /// Gives `visit` each customer from the one on where the page before ended (a struct of customer
  /// and place), and the place behind which its items are wanted; until it returns false. The
  /// customers stay as long as this.
  template <typename End, typename Visit>
  void run(const std::optional<End>& behind, Visit&& visit) const {
    for (const CustomerId& customer : customers_) {
      if (behind && customer < behind->customer) continue;
      const bool is_behind = behind && customer == behind->customer;
      if (!visit(customer, is_behind ? std::optional(behind->place) : std::nullopt)) return;
    }
  }

 private:
  std::vector<CustomerId> customers_;
};

}  // namespace vigia::storage::api
