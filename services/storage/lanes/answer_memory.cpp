#include "services/storage/lanes/answer_memory.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/base/check.hpp"

namespace vigia::storage::lanes {
namespace {

// Taken of the share at once: it has a lock, and an answer has many small parts.
constexpr std::size_t kStep = 64U << 10U;

std::size_t in_steps(std::size_t bytes) { return (bytes + kStep - 1) / kStep * kStep; }

}  // namespace

Result<void> AnswerMemory::add(std::size_t bytes) {
  // kOverLimit, not "try again": this answer would not fit into an idle process either.
  if (used_ + bytes > limit_) {
    return fail(ErrorCode::kOverLimit,
                fmt::format("the answer needs more than {} MiB; ask for less of it at once",
                            limit_ >> 20U));
  }
  if (auto grown = held_.grow_to(in_steps(used_ + bytes)); !grown) return grown;
  used_ += bytes;
  return {};
}

void AnswerMemory::release(std::size_t bytes) {
  CHECK(bytes <= used_);
  used_ -= bytes;
  held_.shrink_to(in_steps(used_));
}

void AnswerMemory::limit_to(std::size_t bytes) { limit_ = std::min(limit_, bytes); }

Result<void> HeldMemory::set(std::size_t bytes) {
  if (bytes > bytes_) {
    if (auto fits = memory_->add(bytes - bytes_); !fits) return fits;
  } else {
    memory_->release(bytes_ - bytes);
  }
  bytes_ = bytes;
  return {};
}

}  // namespace vigia::storage::lanes
