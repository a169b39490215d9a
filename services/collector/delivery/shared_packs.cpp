#include "services/collector/delivery/shared_packs.hpp"

#include <algorithm>

namespace vigia::collector::delivery {
namespace {

class SharingPacker final : public Packer {
 public:
  SharingPacker(std::unique_ptr<Packer> packer, SharedPacks& packs, std::size_t translation)
      : packer_(std::move(packer)), packs_(packs), translation_(translation) {}

  Result<Packed> pack(std::uint32_t index, const OtlpRecord& record, Place from,
                      std::size_t bytes_max, Parcel& parcel) override {
    if (!record.key || from != Place{})
      return packer_->pack(index, record, from, bytes_max, parcel);
    const SharedPacks::Key key{translation_, *record.key};
    if (const auto made = packs_.find_or_claim(key)) {
      if (fits(*made, bytes_max, parcel)) return append(*made, index, parcel);
      return packer_->pack(index, record, from, bytes_max, parcel);
    }
    const std::size_t first = parcel.units.size();
    const Leaving leaving{packs_, key};
    auto packed = packer_->pack(index, record, from, bytes_max, parcel);
    if (packed && !packed->next && first < parcel.units.size() && packs_.is_shared(translation_))
      packs_.put(key, cut_off(parcel, first, *packed));
    return packed;
  }
  std::string describe(std::string_view unit) const override { return packer_->describe(unit); }
  std::string_view kind_of(std::string_view unit) const override { return packer_->kind_of(unit); }
  std::optional<Parcel> split(const Parcel& parcel, std::size_t unit) const override {
    return packer_->split(parcel, unit);
  }

 private:
  /// Also where packing ends in a fault of ours.
  struct Leaving {
    ~Leaving() { packs.leave(key); }
    SharedPacks& packs;
    const SharedPacks::Key& key;
  };

  static bool fits(const SharedPacks::Pack& made, std::size_t bytes_max, const Parcel& parcel) {
    return parcel.message.size() + made.parcel.message.size() <= bytes_max &&
           parcel.units.size() + made.parcel.units.size() <= kUnitsMax;
  }

  static Packed append(const SharedPacks::Pack& made, std::uint32_t index, Parcel& parcel) {
    const std::size_t first = parcel.units.size();
    parcel.append(made.parcel, 0, made.parcel.units.size());
    for (std::size_t unit = first; unit < parcel.units.size(); ++unit)
      parcel.units[unit].record = index;
    return made.packed;
  }

  static SharedPacks::Pack cut_off(const Parcel& parcel, std::size_t first, const Packed& packed) {
    SharedPacks::Pack pack{{.customer = parcel.customer, .signal = parcel.signal}, packed};
    pack.parcel.units.reserve(parcel.units.size() - first);
    pack.parcel.append(parcel, first, parcel.units.size());
    return pack;
  }

  const std::unique_ptr<Packer> packer_;
  SharedPacks& packs_;
  const std::size_t translation_;
};

}  // namespace

std::size_t SharedPacks::join(const wire::prometheus::TranslatorSettings& settings) {
  const std::lock_guard lock(mutex_);
  const auto known = std::find_if(forms_.begin(), forms_.end(),
                                  [&](const Form& form) { return form.settings == settings; });
  if (known != forms_.end()) {
    ++known->exporters;
    return static_cast<std::size_t>(known - forms_.begin());
  }
  forms_.push_back({settings, 1});
  return forms_.size() - 1;
}

bool SharedPacks::is_shared(std::size_t translation) const {
  const std::lock_guard lock(mutex_);
  return forms_[translation].exporters > 1;
}

std::shared_ptr<const SharedPacks::Pack> SharedPacks::find_or_claim(const Key& key) {
  std::unique_lock lock(mutex_);
  if (forms_[key.first].exporters < 2) return nullptr;
  const auto [place, is_new] = entries_.try_emplace(key);
  if (is_new) return nullptr;
  const auto is_done = [&] {
    const auto found = entries_.find(key);
    return found == entries_.end() || found->second.pack != nullptr;
  };
  if (!is_done() && !changed_.wait_for(lock, kWaitMax, is_done)) return nullptr;
  const auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  const auto pack = found->second.pack;
  ++stats_.taken;
  if (--found->second.readers_left == 0) erase(found);
  return pack;
}

void SharedPacks::put(const Key& key, Pack pack) {
  auto made = std::make_shared<const Pack>(std::move(pack));
  const std::uint64_t bytes = bytes_of(*made);
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    // Of an exporter that waited too long, or has no fellows, it was no claim.
    if (found == entries_.end() || found->second.pack != nullptr) return;
    if (bytes > bytes_max_) {
      entries_.erase(found);
    } else {
      found->second = {std::move(made), forms_[key.first].exporters - 1,
                       order_.insert(order_.end(), key)};
      stats_.bytes += bytes;
      ++stats_.made;
      while (stats_.bytes > bytes_max_) erase(entries_.find(order_.front()));
    }
  }
  changed_.notify_all();
}

void SharedPacks::leave(const Key& key) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.pack != nullptr) return;
    entries_.erase(found);
  }
  changed_.notify_all();
}

SharedPacksStats SharedPacks::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

std::uint64_t SharedPacks::bytes_of(const Pack& pack) {
  return pack.parcel.message.capacity() + pack.parcel.units.capacity() * sizeof(Unit);
}

void SharedPacks::erase(std::map<Key, Entry>::iterator entry) {
  stats_.bytes -= bytes_of(*entry->second.pack);
  order_.erase(entry->second.place);
  entries_.erase(entry);
}

std::unique_ptr<Packer> share_packs(std::unique_ptr<Packer> packer, SharedPacks& packs,
                                    std::size_t translation) {
  return std::make_unique<SharingPacker>(std::move(packer), packs, translation);
}

}  // namespace vigia::collector::delivery
