#include "libs/model/customer_signal.hpp"

#include <utility>

namespace vigia {

std::optional<CustomerId> kept_customer(std::string_view text) {
  // No customer can have the provider's name, so parse refuses it: it must not come from outside.
  if (text == CustomerId::provider().text()) return CustomerId::provider();
  auto customer = CustomerId::parse(text);
  if (!customer) return std::nullopt;
  return *std::move(customer);
}

// Kept bytes may be damaged: a number that no signal has is nothing, and never another signal.
std::optional<Signal> kept_signal(std::uint8_t number) {
  if (number < kept_number(Signal::kMetrics) || number > kept_number(Signal::kLogs))
    return std::nullopt;
  return static_cast<Signal>(number);
}

std::optional<CustomerSignal> kept_customer_signal(std::string_view text, std::uint8_t number) {
  const auto signal = kept_signal(number);
  if (!signal) return std::nullopt;
  auto customer = kept_customer(text);
  if (!customer) return std::nullopt;
  return CustomerSignal{*std::move(customer), *signal};
}

}  // namespace vigia
