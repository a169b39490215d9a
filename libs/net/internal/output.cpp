#include "libs/net/internal/output.hpp"

#include "libs/base/check.hpp"

namespace vigia::net::internal {

namespace {
// Pieces up to this size are joined, so that one write sends many of them.
constexpr std::size_t kGatherBytes = 64U << 10U;
}  // namespace

void Output::append(std::string_view bytes) {
  if (bytes.empty()) return;
  if (pieces_.empty() || pieces_.back().size() + bytes.size() > kGatherBytes) {
    pieces_.emplace_back();
  }
  pieces_.back() += bytes;
  size_ += bytes.size();
}

void Output::append(std::string&& bytes) {
  if (bytes.size() < kGatherBytes / 4) {
    append(std::string_view(bytes));
    return;
  }
  size_ += bytes.size();
  pieces_.push_back(std::move(bytes));
}

std::string_view Output::front() const {
  if (pieces_.empty()) return {};
  return std::string_view(pieces_.front()).substr(offset_);
}

void Output::pop(std::size_t count) {
  CHECK(count <= size_);
  size_ -= count;
  offset_ += count;
  while (!pieces_.empty() && offset_ >= pieces_.front().size()) {
    offset_ -= pieces_.front().size();
    pieces_.pop_front();
  }
}

}  // namespace vigia::net::internal
