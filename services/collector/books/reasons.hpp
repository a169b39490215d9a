// Why items were refused or given up: every value that the label `reason` of the books may have.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "libs/model/verdicts.hpp"

namespace vigia::collector::books {

/// Why a whole request was refused; one by one its items have a RejectReason.
enum class RequestReason : std::uint8_t {
  kRate,         ///< over its customer's rates; retryable
  kRequestSize,  ///< it could never pass
  kShare,        ///< its customer's share of the disk log; retryable
  kSideShare,    ///< its customer's share of what lies aside; retryable
  kFull,         ///< the disk, or the log's cap; retryable
  kClock,        ///< ahead of our clock, which is in doubt; retryable
  kMemory,       ///< its customer's share of the memory that bodies are made in; retryable
  kProcessor,    ///< a processor cannot be run for it, and is to refuse it then
};
inline constexpr std::array kRequestReasons{RequestReason::kRate,   RequestReason::kRequestSize,
                                            RequestReason::kShare,  RequestReason::kSideShare,
                                            RequestReason::kFull,   RequestReason::kClock,
                                            RequestReason::kMemory, RequestReason::kProcessor};
/// "rate", "request_size", "share", "side_share", "full", "clock", "memory", "processor".
std::string_view to_string(RequestReason reason);

/// Why what was acknowledged did not arrive.
enum class DropCause : std::uint8_t {
  kTooOld,   ///< older than its exporter's max_age
  kCap,      ///< the log, or what lies aside, was full
  kDamaged,  ///< it cannot be read
  kRefused,  ///< the destination will never take it
};
inline constexpr std::array kDropCauses{DropCause::kTooOld, DropCause::kCap, DropCause::kDamaged,
                                        DropCause::kRefused};
/// "too_old", "cap", "damaged", "refused".
std::string_view to_string(DropCause cause);

/// Why items were refused, whichever way.
class WhyRejected {
 public:
  WhyRejected(RejectReason reason) : label_(vigia::to_string(reason)) {}   // NOLINT: says the same
  WhyRejected(RequestReason reason) : label_(books::to_string(reason)) {}  // NOLINT: says the same
  std::string_view label() const { return label_; }

 private:
  std::string_view label_;  // a literal
};

}  // namespace vigia::collector::books
