#include "services/collector/exporters/remote_write/metadata_sent.hpp"

#include <algorithm>
#include <functional>

#include "libs/wire/remote_write/metadata.hpp"
#include "libs/wire/remote_write/series_extras.hpp"

namespace vigia::collector::exporters::remote_write {
namespace {

namespace protocol = wire::remote_write;

/// Of metrics and customers that send nothing.
constexpr auto kForgottenAfter = 10 * MetadataSent::kAgainAfter;

std::uint64_t hash_of(const protocol::MetadataView& metadata) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  const std::hash<std::string_view> hash;
  std::uint64_t all = metadata.type;
  for (const std::string_view text : {metadata.family, metadata.help, metadata.unit})
    all = (all ^ hash(text)) * kOdd;
  return all;
}

}  // namespace

std::string MetadataSent::complete(const CustomerId& customer, std::string_view message) {
  std::string metadata;
  // Locked when something is said, and then once a request.
  std::unique_lock lock(mutex_, std::defer_lock);
  Customer* owner = nullptr;
  std::string made = protocol::strip_extras(message, [&](const protocol::MetadataView& said) {
    if (owner == nullptr) {
      lock.lock();
      owner = &customer_of(customer);
    }
    add(*owner, said, metadata);
  });
  made += metadata;
  return made;
}

void MetadataSent::add(Customer& owner, const protocol::MetadataView& metadata, std::string& out) {
  if (out.size() >= kRequestBytesMax) return;
  const std::uint64_t hash = hash_of(metadata);
  auto found = std::lower_bound(owner.told.begin(), owner.told.end(), hash,
                                [](const Told& told, std::uint64_t h) { return told.hash < h; });
  const bool is_known = found != owner.told.end() && found->hash == hash;
  if (is_known && owner.used < found->at + kAgainAfter) return;
  if (is_known) {
    found->at = owner.used;
  } else if (owner.told.size() < kMetricsMax) {
    owner.told.insert(found, {hash, owner.used});
  } else {
    // Full: what is no longer said makes room, for the next request's.
    std::erase_if(owner.told, [now = owner.used](const Told& told) {
      return now >= told.at + kForgottenAfter;
    });
    return;
  }
  protocol::append_metadata(out, metadata);
}

MetadataSent::Customer& MetadataSent::customer_of(const CustomerId& customer) {
  const auto [place, is_new] = customers_.try_emplace(customer);
  place->second.used = clock_.steady();
  if (is_new) forget_idle();
  return place->second;
}

void MetadataSent::forget_idle() {
  const TimePoint now = clock_.steady();
  std::erase_if(customers_,
                [now](const auto& entry) { return now >= entry.second.used + kForgottenAfter; });
}

}  // namespace vigia::collector::exporters::remote_write
