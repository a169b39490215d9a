// What became of the samples that were written, as own metrics.
#pragma once

#include <array>
#include <utility>

#include "libs/service/metrics.hpp"
#include "services/storage/api/exemplar_batch.hpp"
#include "services/storage/api/metadata_batch.hpp"
#include "services/storage/heads/head_set.hpp"

namespace vigia::storage::api {

/// Why a sample was refused at the door.
enum class Refusal : std::uint8_t {
  kInvalid,  ///< labels or time that break the rules
  kForeign,  ///< another customer than the request's
  kTooOld,   ///< older than late_max
  kFault,    ///< a fault of this program kept them out: logged, in the write-ahead log
};
inline constexpr std::size_t kRefusals = 4;
std::string_view to_string(Refusal refusal);  ///< "invalid", "foreign", "too_old", "fault"

/// received = stored + repeated + conflicts + refused + expired + those that were answered with a
/// passing fault. Thread contract: any thread.
class WriteBooks {
 public:
  explicit WriteBooks(service::MetricRegistry& registry);
  void note_received(std::uint64_t samples) { received_.add(samples); }
  void note_refused(Refusal refusal, std::uint64_t samples);
  void note(const heads::AppendCounts& counts);
  void note_expired(std::uint64_t samples) { expired_.add(samples); }
  void note_failed(std::uint64_t samples) { failed_.add(samples); }
  /// received = refused + expired + what ExemplarKeeper counts, but for what of requests whose
  /// samples were answered with a passing fault, and where the store keeps none.
  void note_exemplars(const ExemplarCounts& counts);
  /// received = refused + known + what MetadataKeeper counts.
  void note_metadata(const MetadataCounts& counts);

 private:
  service::Counter& received_;
  service::Counter& stored_;
  service::Counter& late_;
  service::Counter& repeated_;
  service::Counter& conflicts_;
  service::Counter& expired_;
  service::Counter& failed_;
  service::Counter& exemplars_received_;
  service::Counter& exemplars_refused_;
  service::Counter& exemplars_expired_;
  service::Counter& metadata_received_;
  service::Counter& metadata_refused_;
  service::Counter& metadata_known_;
  service::Counter& metadata_cut_;
  std::array<service::Counter*, kRefusals> refused_{};  // of the registry, which outlives us
};

/// Of one request: each sample received is booked as exactly one of the others, so that the sums
/// can be compared from outside. What has become nothing when this ends, by an error or by a fault
/// of ours, is booked as failed. Thread contract: one thread at a time.
class RequestBooks {
 public:
  RequestBooks(WriteBooks& books, std::uint64_t received) : books_(books), left_(received) {
    books_.note_received(received);
  }
  RequestBooks(RequestBooks&& other) noexcept
      : books_(other.books_), left_(std::exchange(other.left_, 0)) {}
  RequestBooks& operator=(RequestBooks&&) = delete;
  ~RequestBooks() { note_failed(); }

  void note_refused(Refusal refusal, std::uint64_t samples);
  void note_expired(std::uint64_t samples);
  /// All that is left.
  void note(const heads::AppendCounts& counts);
  void note_failed() { books_.note_failed(std::exchange(left_, 0)); }

 private:
  WriteBooks& books_;
  std::uint64_t left_;
};

}  // namespace vigia::storage::api
