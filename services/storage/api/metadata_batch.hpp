// What a remote-write request says of its metrics.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

#include "libs/wire/remote_write/write_request.hpp"
#include "services/storage/ingest/metadata_keeper.hpp"

namespace vigia::storage::api {

/// Different things that a request may say; what it says beyond is refused. Prometheus sends two
/// thousand at once.
inline constexpr std::size_t kRequestMetadataMax = 20'000;

/// Of a request each thing that is said once, however many series say it: received = refused +
/// known + what is there to be kept.
struct MetadataCounts {
  std::uint64_t received = 0;
  std::uint64_t refused = 0;  ///< no metric's name, too long, no UTF-8, or one too many
  std::uint64_t known = 0;    ///< stored already
  std::uint64_t cut = 0;      ///< of the others, those of which the help was too long
};

/// It is none of what is acknowledged by a request's samples: what is bad is left out and counted,
/// and costs neither. Nearly all of it is known, and costs a hash. Thread contract: one thread.
class MetadataBatch {
 public:
  /// Whether there is nothing to keep of that.
  using IsStored = std::function<bool(const CustomerId&, const ingest::MetadataHash&)>;
  /// Empty: nothing is kept.
  explicit MetadataBatch(IsStored is_stored = {}) : is_stored_(std::move(is_stored)) {}

  /// `metadata`: as of 1.0, by the name of its family.
  void add(const CustomerId& customer, const wire::remote_write::MetadataView& metadata);
  /// Of a series of 2.0, each of which says it; its views live until the message was read.
  void add_of_series(const CustomerId& customer, const wire::remote_write::MetadataView& metadata);
  /// Once.
  std::vector<ingest::OwnedMetadata> take() { return std::move(owned_); }
  const MetadataCounts& counts() const { return counts_; }

 private:
  std::vector<store::MetricMetadata>& owned_by(const CustomerId& customer);

  IsStored is_stored_;
  wire::remote_write::MetadataView last_;  // of the series before
  std::string last_customer_;              // whose that is
  boost::unordered_flat_set<std::uint64_t> seen_;
  std::vector<ingest::OwnedMetadata> owned_;  // a request is of one customer, mostly
  MetadataCounts counts_;
};

}  // namespace vigia::storage::api
