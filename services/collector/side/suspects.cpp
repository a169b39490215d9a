#include "services/collector/side/suspects.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "libs/service/log.hpp"

namespace vigia::collector::side {
namespace {

std::string_view kind_of(const delivery::Packer& packer, const delivery::Parcel& parcel,
                         std::size_t unit) {
  return packer.kind_of(parcel.run(unit, unit + 1));
}

/// Values of a series together, in the order in which they came.
delivery::Parcel sorted_by_kind(const delivery::Packer& packer, const delivery::Parcel& parcel) {
  std::vector<std::pair<std::string_view, std::size_t>> order;
  for (std::size_t unit = 0; unit < parcel.units.size(); ++unit)
    order.emplace_back(kind_of(packer, parcel, unit), unit);
  std::sort(order.begin(), order.end());
  delivery::Parcel sorted{
      .customer = parcel.customer, .signal = parcel.signal, .stage = parcel.stage};
  sorted.message.reserve(parcel.message.size());
  for (const auto& [kind, unit] : order) sorted.append(parcel, unit, unit + 1);
  return sorted;
}

}  // namespace

void merge_suspects(SideQueue& queue, const delivery::Packer& packer, const SideHead& of,
                    Duration give_up_after) {
  const std::vector<SideItem> picked =
      queue.pick_mergeable(of.customer, of.signal, give_up_after / kAgeParts);
  if (picked.empty()) return;
  std::vector<SideItem> items;
  std::vector<SideItem> unreadable;
  delivery::Parcel all{.customer = of.customer,
                       .signal = of.signal,
                       .stage = delivery::Parcel::SearchStage::kSuspect};
  SideHead head = picked.front().head;
  head.items = 0;
  for (const SideItem& item : picked) {
    auto entry = queue.load(item);
    if (!entry) {  // its own turn counts it
      unreadable.push_back(item);
      continue;
    }
    for (delivery::Unit& unit : entry->parcel.units)
      unit.record = static_cast<std::uint32_t>(items.size());
    all.append(entry->parcel, 0, entry->parcel.units.size());
    head.received_ms = std::min(head.received_ms, item.head.received_ms);
    head.items += item.head.items;
    items.push_back(item);
  }
  queue.release(unreadable);
  if (items.size() < 2) {
    queue.release(items);
    return;
  }
  // Sorted by series and packed, a suspect's hundred samples share one set of labels: the many
  // small files were mostly labels.
  head.is_packed = true;
  const auto merged = queue.merge(items, {head, sorted_by_kind(packer, all), {}});
  if (!merged)
    service::log_warn("suspects of the side queue stay in many entries",
                      {{"customer_id", of.customer.text()}, {"why", merged.error().message}});
}

std::size_t nth_kind(const delivery::Packer& packer, const delivery::Parcel& parcel, int n) {
  const std::size_t units = parcel.units.size();
  if (units == 0) return 0;
  std::vector<std::size_t> begins{0};
  for (std::size_t unit = 1; unit < units; ++unit) {
    const std::string_view kind = kind_of(packer, parcel, unit);
    if (kind.empty() || kind != kind_of(packer, parcel, unit - 1)) begins.push_back(unit);
  }
  return begins[static_cast<std::size_t>(n) % begins.size()];
}

}  // namespace vigia::collector::side
