#include "services/collector/delivery/shared_requests.hpp"

#include <xxhash.h>

#include "libs/base/random.hpp"

namespace vigia::collector::delivery {
namespace {

constexpr std::size_t kSecretBytes = 192;
static_assert(kSecretBytes >= XXH3_SECRET_SIZE_MIN);

}  // namespace

SharedRequests::SharedRequests(std::uint64_t bytes_max)
    : bytes_max_(bytes_max), secret_(random_bytes(kSecretBytes)) {}

void SharedRequests::join() {
  const std::lock_guard lock(mutex_);
  ++exporters_;
}

std::optional<SharedRequests::Key> SharedRequests::key_of(const CustomerId& customer,
                                                          std::string_view message) const {
  {
    const std::lock_guard lock(mutex_);
    if (exporters_ < 2) return std::nullopt;
  }
  const XXH128_hash_t hash =
      XXH3_128bits_withSecret(message.data(), message.size(), secret_.data(), secret_.size());
  return Key{customer, {hash.low64, hash.high64}};
}

std::shared_ptr<const SharedRequests::Encoded> SharedRequests::take(const Key& key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  auto encoded = found->second.encoded;
  ++stats_.taken;
  if (--found->second.readers_left == 0) erase(found);
  return encoded;
}

void SharedRequests::put(const Key& key, std::shared_ptr<const Encoded> encoded) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t bytes = encoded->body.size();
  if (bytes > bytes_max_ || exporters_ < 2) return;
  const auto [entry, is_new] = entries_.try_emplace(key);
  if (!is_new) return;  // made by two at once, or sent again
  entry->second = {std::move(encoded), exporters_ - 1, order_.insert(order_.end(), key)};
  stats_.bytes += bytes;
  ++stats_.made;
  while (stats_.bytes > bytes_max_) erase(entries_.find(order_.front()));
}

SharedRequestsStats SharedRequests::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

void SharedRequests::erase(std::map<Key, Entry>::iterator entry) {
  stats_.bytes -= entry->second.encoded->body.size();
  order_.erase(entry->second.place);
  entries_.erase(entry);
}

}  // namespace vigia::collector::delivery
