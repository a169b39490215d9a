// MemoryColdStore: its catalog.
#include <algorithm>

#include "services/storage/store/testing/memory_cold_store.hpp"

namespace vigia::storage::store {
namespace {

constexpr std::uint64_t kIdMask = (std::uint64_t{1} << 63U) - 1;
constexpr std::size_t kOfPage = 3;  // few, so that tests meet many pages

// The same in every instance: nothing is counted.
SeriesId id_of(const CustomerId& customer, const Labels& labels) {
  std::string text = customer.text();
  for (const Label& label : labels) text += '\0' + label.name + '\0' + label.value;
  return {hash_labels(0, text).low & kIdMask};
}

std::vector<LabelTexts> views_of(const Labels& labels) {
  std::vector<LabelTexts> views;
  for (const Label& label : labels) views.emplace_back(label.name, label.value);
  return views;
}

class Found final : public SeriesCursor {
 public:
  Found(std::vector<FoundSeries> all, const WorkLimit& limit)
      : all_(std::move(all)), limit_(limit) {}
  Result<std::vector<FoundSeries>> next() override {
    if (auto checked = limit_.check(); !checked) return forward(checked);
    const std::size_t end = std::min(at_ + kOfPage, all_.size());
    std::vector<FoundSeries> page(all_.begin() + static_cast<std::ptrdiff_t>(at_),
                                  all_.begin() + static_cast<std::ptrdiff_t>(end));
    at_ = end;
    return page;
  }

 private:
  std::vector<FoundSeries> all_;
  const WorkLimit& limit_;
  std::size_t at_ = 0;
};

// Of each text, whether it is one of the days'.
TextPage page_of(const std::map<std::string, bool>& texts, const TextQuery& query) {
  TextPage page{{}, true};
  for (const auto& [text, is_wanted] : texts) {
    if (!is_wanted || (!query.after.empty() && text <= query.after)) continue;
    page.is_last = page.texts.size() < kOfPage;
    if (!page.is_last) break;
    page.texts.push_back(text);
  }
  return page;
}

}  // namespace

Result<std::uint64_t> MemoryColdStore::MemoryCatalog::seed_of(const CustomerId& customer) {
  const std::lock_guard lock(mutex_);
  customers_.try_emplace(customer);
  return hash_labels(0, customer.text()).low;
}

std::optional<KnownSeries> MemoryColdStore::MemoryCatalog::find(const LabelsHash& wire_hash) const {
  const std::lock_guard lock(mutex_);
  const auto at = known_.find(wire_hash);
  return at == known_.end() ? std::nullopt : std::optional(at->second);
}

void MemoryColdStore::MemoryCatalog::note(OfCustomer& of, Known& known,
                                          const DayRange& days) const {
  if (days == kNoDays) return;
  known.days = joined(known.days, days);
  for (const Label& label : known.labels) {
    DayRange& seen = of.values[label.name].try_emplace(label.value, kNoDays).first->second;
    seen = joined(seen, days);
  }
}

bool MemoryColdStore::MemoryCatalog::OfCustomer::is_on(const DayRange& days,
                                                       const DayRange& wanted) const {
  const std::uint32_t first = std::max(wanted.first, expired_until);
  return first <= wanted.last && days.overlaps({first, wanted.last});
}

Result<void> MemoryColdStore::MemoryCatalog::resolve(const CustomerId& customer,
                                                     std::vector<NewSeries>& series) {
  const std::lock_guard lock(mutex_);
  OfCustomer& of = customers_[customer];
  for (NewSeries& one : series) {
    one.id = id_of(customer, one.labels);
    const auto [at, is_new] = of.series.try_emplace(one.id, Known{one.labels, kNoDays});
    one.is_new = is_new;
    note(of, at->second, one.days);
    known_[one.wire_hash] = {one.id, at->second.days};
  }
  return {};
}

Result<std::vector<std::string>> MemoryColdStore::MemoryCatalog::metrics_of(
    const CustomerId& customer, const std::vector<SeriesId>& ids) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> metrics(ids.size());
  const auto of = customers_.find(customer);
  if (of == customers_.end()) return metrics;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto at = of->second.series.find(ids[i]);
    if (at != of->second.series.end()) metrics[i] = std::string(at->second.labels.metric_name());
  }
  return metrics;
}

std::vector<CustomerId> MemoryColdStore::MemoryCatalog::customers() const {
  const std::lock_guard lock(mutex_);
  std::vector<CustomerId> all;
  for (const auto& [id, of] : customers_) all.push_back(id);
  return all;
}

std::unique_ptr<SeriesCursor> MemoryColdStore::MemoryCatalog::select(const CustomerId& customer,
                                                                     const SeriesQuery& query,
                                                                     const WorkLimit& limit) const {
  std::vector<FoundSeries> found;
  const std::lock_guard lock(mutex_);
  const auto of = customers_.find(customer);
  if (of == customers_.end()) return std::make_unique<Found>(std::move(found), limit);
  for (const auto& [id, known] : of->second.series) {
    if (known.days != kNoDays && !of->second.is_on(known.days, query.days)) continue;
    if (all_match(query.matchers, views_of(known.labels))) found.push_back({id, known.labels});
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& left, const auto& right) {
    return left.labels.metric_name() < right.labels.metric_name();
  });
  return std::make_unique<Found>(std::move(found), limit);
}

Result<TextPage> MemoryColdStore::MemoryCatalog::label_names(const CustomerId& customer,
                                                             const TextQuery& query,
                                                             const WorkLimit& limit) const {
  if (auto checked = limit.check(); !checked) return forward(checked);
  const std::lock_guard lock(mutex_);
  const auto of = customers_.find(customer);
  if (of == customers_.end()) return TextPage{{}, true};
  std::map<std::string, bool> wanted;
  for (const auto& [name, values] : of->second.values) {
    for (const auto& [value, days] : values) wanted[name] |= of->second.is_on(days, query.days);
  }
  return page_of(wanted, query);
}

Result<TextPage> MemoryColdStore::MemoryCatalog::label_values(const CustomerId& customer,
                                                              std::string_view name,
                                                              const TextQuery& query,
                                                              const WorkLimit& limit) const {
  if (auto checked = limit.check(); !checked) return forward(checked);
  const std::lock_guard lock(mutex_);
  const auto of = customers_.find(customer);
  if (of == customers_.end()) return TextPage{{}, true};
  const auto values = of->second.values.find(name);
  if (values == of->second.values.end()) return TextPage{{}, true};
  std::map<std::string, bool> wanted;
  for (const auto& [value, days] : values->second) {
    wanted[value] = of->second.is_on(days, query.days);
  }
  return page_of(wanted, query);
}

Result<std::size_t> MemoryColdStore::MemoryCatalog::expire(const ExpiryCuts& cuts,
                                                           TimestampMs /*now_ms*/) {
  const std::lock_guard lock(mutex_);
  std::size_t gone = 0;
  for (auto& [id, of] : customers_) {
    const std::uint32_t cut = day_of(std::max<TimestampMs>(cuts.of(id), 0));
    of.expired_until = std::max(of.expired_until, cut);
    gone += std::erase_if(of.series, [&](const auto& one) {
      return one.second.days != kNoDays && one.second.days.last < cut;
    });
    for (auto& [name, values] : of.values) {
      std::erase_if(values, [&](const auto& value) { return value.second.last < cut; });
    }
  }
  // Forgetting is allowed.
  const std::uint32_t latest = day_of(std::max<TimestampMs>(cuts.latest_ms(), 0));
  std::erase_if(known_, [&](const auto& known) { return known.second.days.last < latest; });
  return gone;
}

}  // namespace vigia::storage::store
