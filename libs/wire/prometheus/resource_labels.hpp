// What a resource gives to each of its series, and its own target_info.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/model/ids.hpp"
#include "libs/model/verdicts.hpp"
#include "libs/wire/prometheus/labels_encoding.hpp"

namespace vigia::wire::prometheus {

struct TranslatorSettings {
  /// Resource attributes that become labels on every series. customer_id is always there, from the
  /// token.
  std::vector<std::string> resource_labels = {"node.id", "node.region", "environment"};
  bool scope_labels = true;  ///< otel_scope_name, otel_scope_version, …
  bool target_info = true;
  bool ratio_suffix = true;  ///< `_ratio` on gauges of unit "1", as Prometheus itself does
  /// Whether the series count as the customer's active ones. False for a view of them under other
  /// labels: they are counted where they came in.
  bool counts_active_series = true;
};

/// Whom a resource says that it belongs to, compared with the token's customer.
enum class Claim : std::uint8_t { kOwn, kForeign, kNone };

/// Looks at every attribute `customer.id` of an encoded Resource. One that is no string, or another
/// customer's, makes it foreign, whatever else stands beside it. Throws protozero::exception.
Claim read_claim(const CustomerId& customer, std::string_view resource);

struct ResourceLabels {
  SharedLabels shared;      ///< customer_id, job, instance and the configured ones
  std::string target_info;  ///< own-labels form (labels_encoding.hpp), "" where there is none
  /// kNone where its series may be taken.
  RejectReason fault = RejectReason::kNone;
  bool is_agent = false;  ///< service.name is vigia-agent
};

/// job = service.namespace/service.name, instance = service.instance.id (R-PM-13). The fault is
/// kForeign or kNoCustomer by its claim, kReserved for a reserved job, kInvalid for bad UTF-8 or
/// depth, kUntranslatable for labels that no series has room for. Of target_info, attributes over
/// 2 KiB and what is over the bounds of a series are left out. Throws protozero::exception on
/// damaged bytes.
ResourceLabels read_resource(const CustomerId& customer, std::string_view resource,
                             const TranslatorSettings& settings);

/// Of one that is not to be read: no labels, and kResourceBytes where it is the customer's own.
ResourceLabels too_large_a_resource(const CustomerId& customer, std::string_view resource);

}  // namespace vigia::wire::prometheus
