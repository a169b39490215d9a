#include "libs/base/fault_owner.hpp"

#include <fmt/format.h>

namespace vigia {
namespace {

// A link and no copy: set for each series of a request, read at a fault alone.
thread_local FaultOwner* innermost = nullptr;

}  // namespace

FaultOwner::FaultOwner(std::string_view name) noexcept : name_(name), outer_(innermost) {
  innermost = this;
}

FaultOwner::FaultOwner(std::uint64_t number) noexcept : number_(number), outer_(innermost) {
  innermost = this;
}

FaultOwner::~FaultOwner() { innermost = outer_; }

std::string FaultOwner::text() const {
  return number_ > 0 ? fmt::format("number {}", number_) : std::string(name_);
}

std::string fault_owner() { return innermost == nullptr ? std::string() : innermost->text(); }

}  // namespace vigia
