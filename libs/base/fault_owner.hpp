// Whose work a thread does, so that a fault's line in the log can name him.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vigia {

/// While it lives, faults that this thread catches are of this owner's work. Made outside of
/// contain_faults: what is made inside has gone when the fault is noted. Scopes nest. Thread
/// contract: made and destroyed by one thread, the last one made first.
class FaultOwner {
 public:
  /// By his name, which must outlive the scope; "" is nobody's.
  explicit FaultOwner(std::string_view name) noexcept;
  /// By his number, where that is all that the work knows.
  explicit FaultOwner(std::uint64_t number) noexcept;
  FaultOwner(const FaultOwner&) = delete;
  FaultOwner& operator=(const FaultOwner&) = delete;
  ~FaultOwner();

 private:
  friend std::string fault_owner();
  std::string text() const;

  std::string_view name_;
  std::uint64_t number_ = 0;
  FaultOwner* const outer_;
};

/// Of this thread's work now: a name, "number 7", or "".
std::string fault_owner();

}  // namespace vigia
