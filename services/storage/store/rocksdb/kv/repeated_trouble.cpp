#include "services/storage/store/rocksdb/kv/repeated_trouble.hpp"

#include <algorithm>

namespace vigia::storage::store::rocksdb::kv {

bool RepeatedTrouble::is_news(std::string_view text) {
  std::string kind(text);
  std::erase_if(kind, [](char letter) { return letter >= '0' && letter <= '9'; });
  const TimePoint now = clock_.steady();
  const std::lock_guard lock(mutex_);
  std::erase_if(told_, [&](const auto& entry) { return now - entry.second >= kTroublePause; });
  if (told_.size() == kTroubleKindsMax) return false;
  return told_.emplace(std::move(kind), now).second;
}

}  // namespace vigia::storage::store::rocksdb::kv
