// What a resource gives to each of its series, and its own target_info.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/model/ids.hpp"
#include "libs/model/verdicts.hpp"
#include "libs/wire/prometheus/labels_encoding.hpp"
#include "libs/wire/prometheus/names.hpp"

namespace vigia::wire::prometheus {

/// What an exponential histogram becomes.
enum class ExponentialForm : std::uint8_t { kNative, kClassic };

struct TranslatorSettings {
  /// Resource attributes that become labels on every series, sorted. customer_id is always there,
  /// from the token. Their names have underscores in every strategy: a router asks for `node_id`.
  std::vector<std::string> resource_labels = {"environment", "node.id", "node.region"};
  /// All other attributes of the resource, too, as far as they fit (kPromotedBytesMax).
  bool all_resource_labels = false;
  /// Of names. What an agent of ours sends is always translated by the first: rules and pages ask
  /// for those names.
  Strategy strategy = Strategy::kUnderscoresWithSuffixes;
  /// Strategies, a bit each, by which no name may be one of the provider's: where several exporters
  /// have several, a point is refused before it is acknowledged.
  std::uint8_t strategies = 0;
  ExponentialForm exponential = ExponentialForm::kNative;
  bool scope_labels = true;  ///< otel_scope_name, otel_scope_version, …
  bool target_info = true;
  bool ratio_suffix = true;  ///< `_ratio` on gauges of unit "1", as Prometheus itself does
  /// Whether the series count as the customer's active ones. False for a view of them under other
  /// labels: they are counted where they came in.
  bool counts_active_series = true;
  /// Whether the series of exponential histograms that become classic ones do.
  bool counts_classic = true;
  bool operator==(const TranslatorSettings&) const = default;
};
/// By which a resource's series are named.
constexpr Strategy strategy_of(const TranslatorSettings& settings, bool is_agent) {
  return is_agent ? Strategy::kUnderscoresWithSuffixes : settings.strategy;
}

/// Labels of all_resource_labels: names and values together.
inline constexpr std::size_t kPromotedBytesMax = 8U << 10U;
inline constexpr std::size_t kPromotedLabelsMax = 48;

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
  bool is_agent = false;         ///< service.name is vigia-agent
  std::uint32_t collisions = 0;  ///< keys of target_info joined to another's label
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
