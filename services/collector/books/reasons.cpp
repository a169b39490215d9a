#include "services/collector/books/reasons.hpp"

namespace vigia::collector::books {

std::string_view to_string(RequestReason reason) {
  switch (reason) {
    case RequestReason::kRate:
      return "rate";
    case RequestReason::kRequestSize:
      return "request_size";
    case RequestReason::kShare:
      return "share";
    case RequestReason::kSideShare:
      return "side_share";
    case RequestReason::kFull:
      return "full";
    case RequestReason::kMemory:
      return "memory";
    case RequestReason::kClock:
      return "clock";
    case RequestReason::kProcessor:
      return "processor";
  }
  return "rate";
}

std::string_view to_string(DropCause cause) {
  switch (cause) {
    case DropCause::kTooOld:
      return "too_old";
    case DropCause::kCap:
      return "cap";
    case DropCause::kDamaged:
      return "damaged";
    case DropCause::kRefused:
      return "refused";
  }
  return "damaged";
}

}  // namespace vigia::collector::books
