// What the configuration says of how an exporter that sends brings its data to an end, however it
// is sent.
#pragma once

#include <cstdint>

#include "libs/base/duration.hpp"
#include "libs/service/config.hpp"
#include "services/collector/config/part_keys.hpp"

namespace vigia::collector::exporters {

struct PushSettings {
  Duration retry_initial = std::chrono::seconds(1);
  Duration retry_max = std::chrono::seconds(30);
  /// How long what fails alone, while others' data is taken, is kept before it is given up; 0: a
  /// day where required, else 10 minutes.
  Duration give_up_after{0};
  /// What may lie aside of one customer: over it, where required, intake takes no more of it; else
  /// its oldest goes.
  std::uint64_t side_customer_bytes_max = 256ULL << 20U;
  /// What refusals of one customer's data may cost the destination a second, over that its search
  /// waits: delivery/refusal_budget.hpp.
  std::uint64_t refused_bytes_per_second = 16U << 10U;
  std::size_t batch_bytes_max = 1U << 20U;
  /// Requests of one customer's values at a time; of all customers eight.
  std::size_t shards_max = 1;
};

/// What cannot be is noted at its key; keys of stock files without an effect here, as what they
/// say.
PushSettings read_push_settings(const service::ConfigNode& node,
                                const config::PartContext& context);

}  // namespace vigia::collector::exporters
