#include "libs/series/forms_pool.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

#include <xxhash.h>

#include "libs/base/check.hpp"
#include "libs/base/random.hpp"

namespace vigia::series {
namespace {

constexpr std::size_t kSecretBytes = 192;  // XXH3 wants 136 at least

}  // namespace

std::size_t FormsPool::Hash::operator()(std::string_view text) const noexcept {
  return XXH3_64bits_withSecret(text.data(), text.size(), secret.data(), secret.size());
}

FormsPool::FormsPool() : secret_(random_bytes(kSecretBytes)), heads_(0, Hash{secret_}) {}

// The head, a place in the set, which is at most seven eighths full, and what the allocator adds.
std::uint64_t FormsPool::cost(std::size_t size) {
  constexpr std::uint64_t kPlace = 14;
  constexpr std::uint64_t kAllocation = 16;
  return sizeof(Head) + kPlace + kAllocation + size;
}

FormsPool::~FormsPool() {
  for (Head* head : heads_) std::free(head);
}

const char* FormsPool::keep(std::string_view forms) {
  if (forms.empty()) return nullptr;
  CHECK(forms.size() <= UINT32_MAX);
  if (const auto found = heads_.find(forms); found != heads_.end()) {
    ++(*found)->references;
    return (*found)->text().data();
  }
  void* room = std::malloc(sizeof(Head) + forms.size());
  if (room == nullptr) throw std::bad_alloc();
  Head* head = new (room) Head{1, static_cast<std::uint32_t>(forms.size())};
  std::memcpy(head + 1, forms.data(), forms.size());
  try {
    heads_.insert(head);
  } catch (...) {
    std::free(head);
    throw;
  }
  bytes_ += cost(forms.size());
  return head->text().data();
}

void FormsPool::release(const char* forms, std::size_t size) {
  if (forms == nullptr) return;
  const auto found = heads_.find(std::string_view(forms, size));
  CHECK(found != heads_.end() && (*found)->text().data() == forms);
  Head* head = *found;
  if (--head->references > 0) return;
  heads_.erase(found);
  bytes_ -= cost(size);
  std::free(head);
}

std::uint64_t FormsPool::bytes_for(std::string_view forms) const {
  return forms.empty() || heads_.contains(forms) ? 0 : cost(forms.size());
}

}  // namespace vigia::series
