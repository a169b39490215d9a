// Customers' numbers that need no store.
#pragma once

#include <string>

#include "services/storage/customers/customer_numbers.hpp"

namespace vigia::storage {

/// Number n is customer "c-n"; every number is given out.
class TestNumbers final : public customers::CustomerNumbers {
 public:
  Result<customers::CustomerNumber> number_of(const CustomerId& customer) override {
    return customers::CustomerNumber{
        static_cast<std::uint32_t>(std::stoul(customer.text().substr(2)))};
  }
  std::optional<CustomerId> id_of(customers::CustomerNumber number) const override {
    return CustomerId::parse("c-" + std::to_string(number.value)).value();
  }
  Result<void> keep_unowned(customers::CustomerNumber /*number*/,
                            std::span<const store::ClosedChunk> /*chunks*/) override {
    return fail(ErrorCode::kInternal, "every number is given out");
  }
};

}  // namespace vigia::storage
