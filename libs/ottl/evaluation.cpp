#include "libs/ottl/evaluation.hpp"

#include "libs/ottl/limits.hpp"

namespace vigia::ottl {
namespace {

/// One text that was long once is not kept for all items behind it.
constexpr std::size_t kKeptCapacityMax = 64U << 10U;

}  // namespace

Evaluation::Evaluation() = default;
Evaluation::~Evaluation() = default;

void Evaluation::begin_request(std::uint64_t work, std::uint64_t written) {
  work_left_ = work;
  written_left_ = written;
}

void Evaluation::begin(Record& record) {
  record_ = &record;
  used_ = 0;
  made_bytes_ = 0;
}

std::string& Evaluation::make() {
  if (used_ == texts_.size()) texts_.push_back(std::make_unique<std::string>());
  std::string& text = *texts_[used_++];
  if (text.capacity() > kKeptCapacityMax) text = {};
  text.clear();
  return text;
}

bool Evaluation::keep(const std::string& text) {
  made_bytes_ += text.size();
  if (text.size() <= kMessageBytesMax && made_bytes_ <= kMadeBytesMax) return true;
  return fail("it would make more of one item than it may become");
}

void Evaluation::charge(std::uint64_t bytes) {
  if (bytes > work_left_) throw WorkIsUsedUp{};
  work_left_ -= bytes;
}

void Evaluation::charge_written(std::uint64_t bytes) {
  if (bytes > written_left_) throw WorkIsUsedUp{};
  written_left_ -= bytes;
}

bool Evaluation::fail(std::string_view what) { return fail(what, place_); }

bool Evaluation::fail(std::string_view what, std::size_t offset) {
  fault_ = {what, offset};
  return false;
}

}  // namespace vigia::ottl
