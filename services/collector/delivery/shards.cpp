#include "services/collector/delivery/shards.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vigia::collector::delivery {
namespace {

std::size_t shards_of(const Parcel& parcel, const ShardSettings& settings) {
  if (parcel.units.empty() || !parcel.is_value(parcel.units.front())) return 1;
  const std::size_t requests = (parcel.message.size() + settings.bytes_min - 1) /
                               std::max<std::size_t>(settings.bytes_min, 1);
  const auto one_by_one = static_cast<double>(requests) *
                          static_cast<double>(settings.answer_time.count()) /
                          static_cast<double>(kOneByOneMax.count());
  const auto wanted = static_cast<std::size_t>(
      std::min(std::ceil(one_by_one), static_cast<double>(settings.shards_max)));
  return std::clamp<std::size_t>(wanted, 1, std::max<std::size_t>(requests, 1));
}

}  // namespace

void AnswerTime::note(Duration took) {
  constexpr int kWeight = 8;  // so many answers until a change is believed
  estimate_ = is_known_ ? estimate_ + (took - estimate_) / kWeight : took;
  is_known_ = true;
}

void cut_in_shards(std::vector<Parcel>& parcels, const ShardSettings& settings,
                   const std::function<std::string_view(std::string_view unit)>& kind_of) {
  if (settings.shards_max < 2) return;
  std::vector<std::pair<std::size_t, Parcel>> more;  // by the number of the shard
  for (Parcel& parcel : parcels) {
    const std::size_t count = shards_of(parcel, settings);
    if (count < 2) continue;
    std::vector<Parcel> shards(count, Parcel{.customer = parcel.customer,
                                             .signal = parcel.signal,
                                             .stage = parcel.stage,
                                             .weight_max = parcel.weight_max});
    for (Parcel& shard : shards) shard.message.reserve(parcel.message.size() / count);
    for (std::size_t unit = 0; unit < parcel.units.size(); ++unit) {
      const std::string_view bytes = parcel.run(unit, unit + 1);
      Parcel& shard = shards[std::hash<std::string_view>()(kind_of(bytes)) % count];
      shard.units.push_back(parcel.units[unit]);
      shard.units.back().begin = shard.message.size();
      shard.message += bytes;
    }
    std::erase_if(shards, [](const Parcel& shard) { return shard.units.empty(); });
    parcel = std::move(shards[0]);
    for (std::size_t i = 1; i < shards.size(); ++i) more.emplace_back(i, std::move(shards[i]));
  }
  std::stable_sort(more.begin(), more.end(),
                   [](const auto& left, const auto& right) { return left.first < right.first; });
  for (auto& [number, shard] : more) parcels.push_back(std::move(shard));
}

}  // namespace vigia::collector::delivery
