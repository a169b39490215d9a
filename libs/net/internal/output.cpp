#include "libs/net/internal/output.hpp"

#include "libs/base/check.hpp"

namespace vigia::net::internal {

namespace {
// Pieces up to this size are joined, so that one write sends many of them.
constexpr std::size_t kGatherBytes = 64U << 10U;
}  // namespace

void OutputQueue::append(std::string_view bytes) {
  if (bytes.empty()) return;
  const bool is_joined = !pieces_.empty() && !pieces_.back().shared && !pieces_.back().held &&
                         pieces_.back().own.size() + bytes.size() <= kGatherBytes;
  if (!is_joined) pieces_.emplace_back();
  pieces_.back().own += bytes;
  size_ += bytes.size();
  own_bytes_ += bytes.size();
}

void OutputQueue::append(std::string&& bytes, std::shared_ptr<void> held) {
  if (bytes.size() < kGatherBytes / 4 && !held) {
    append(std::string_view(bytes));
    return;
  }
  if (bytes.empty()) return;
  size_ += bytes.size();
  own_bytes_ += bytes.size();
  pieces_.push_back({std::move(bytes), nullptr, std::move(held)});
}

void OutputQueue::append(std::shared_ptr<const std::string> bytes, std::shared_ptr<void> held) {
  if (bytes->empty()) return;
  size_ += bytes->size();
  pieces_.push_back({{}, std::move(bytes), std::move(held)});
}

std::string_view OutputQueue::front() const {
  if (pieces_.empty()) return {};
  return std::string_view(pieces_.front().bytes()).substr(offset_);
}

void OutputQueue::pop(std::size_t count) {
  CHECK(count <= size_);
  size_ -= count;
  offset_ += count;
  while (!pieces_.empty() && offset_ >= pieces_.front().bytes().size()) {
    offset_ -= pieces_.front().bytes().size();
    own_bytes_ -= pieces_.front().own.size();
    pieces_.pop_front();
  }
}

}  // namespace vigia::net::internal
