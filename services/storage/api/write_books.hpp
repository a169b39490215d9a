// What became of the samples that were written, as own metrics.
#pragma once

#include <array>

#include "libs/service/metrics.hpp"
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

 private:
  service::Counter& received_;
  service::Counter& stored_;
  service::Counter& late_;
  service::Counter& repeated_;
  service::Counter& conflicts_;
  service::Counter& expired_;
  service::Counter& failed_;
  std::array<service::Counter*, kRefusals> refused_{};  // of the registry, which outlives us
};

}  // namespace vigia::storage::api
