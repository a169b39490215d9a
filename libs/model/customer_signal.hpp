// Whose data something is and of which signal, as it is written down: a text and a number. A log, a
// queue and a row keep them so; only here they become names again.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "libs/model/ids.hpp"
#include "libs/model/signal.hpp"

namespace vigia {

struct CustomerSignal {
  CustomerId customer;
  Signal signal = Signal::kMetrics;

  bool operator==(const CustomerSignal&) const = default;
};

/// The number under which a signal is kept. It is on disk: it stays what it is.
constexpr std::uint8_t kept_number(Signal signal) { return static_cast<std::uint8_t>(signal); }

/// What was kept of a customer, CustomerId::text(). `_provider` is one too: who reads what was kept
/// reads what we have written, not what came from outside. Nothing where it is nobody's id.
std::optional<CustomerId> kept_customer(std::string_view text);
/// Nothing where no signal has the number.
std::optional<Signal> kept_signal(std::uint8_t number);
/// Both; nothing where one of them is nothing.
std::optional<CustomerSignal> kept_customer_signal(std::string_view text, std::uint8_t number);

}  // namespace vigia
