// How far a copy is, so that it goes on after a kill.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"

namespace vigia::storage::keep {

/// Of a customer, in the order in which they are copied. Numbers are in the file.
enum class CopyPart : std::uint8_t { kSamples, kExemplars, kSpans, kRecords, kRollups };

/// Customers come in the order of their names.
struct CopyPlace {
  std::string customer;
  CopyPart part = CopyPart::kSamples;
  std::uint32_t day = 0;
  auto operator<=>(const CopyPlace&) const = default;
};

/// Thread contract: one thread.
class CopyState {
 public:
  /// `file`: "": nothing is kept. `copy`: by which another copy's is told, one line. kInvalid where
  /// the file is of another copy, or is damaged.
  static Result<CopyState> load(std::string file, std::string copy);

  /// Nothing of the part is left to be copied.
  bool is_done(const CustomerId& customer, CopyPart part) const;
  /// From which on its days are still to be copied.
  std::uint32_t first_day(const CustomerId& customer, CopyPart part) const;
  /// What lies before is in the other store, on disk. kUnavailable where it cannot be written.
  Result<void> note_next(const CopyPlace& next);
  /// Nothing is left.
  Result<void> note_end();

 private:
  CopyState(std::string file, std::string copy) : file_(std::move(file)), copy_(std::move(copy)) {}
  std::string file_;
  std::string copy_;
  CopyPlace next_;
};

}  // namespace vigia::storage::keep
