#include "services/storage/store/event_customer.hpp"

#include "libs/wire/prometheus/resource_labels.hpp"

namespace vigia::storage::store {

bool names_customer(std::string_view resource, const CustomerId& customer) {
  return wire::prometheus::read_claim(customer, resource) == wire::prometheus::Claim::kOwn;
}

}  // namespace vigia::storage::store
