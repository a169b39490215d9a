#include "services/storage/store/cassandra/keep_times.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace vigia::storage::store::cassandra {
namespace {

constexpr std::int64_t kMsPerSecond = 1000;

template <class KeepOfChunks, class KeepOfEvents>
KeptByKind by_kind(const KeepOfChunks& chunks, const KeepOfEvents& events) {
  KeptByKind kept;
  for (std::size_t i = 0; i < kResolutions; ++i) {
    const auto resolution = static_cast<Resolution>(i);
    kept[kind_of(resolution)] = chunks(resolution);
  }
  for (const Signal signal : {Signal::kTraces, Signal::kLogs}) {
    kept[std::string(to_string(signal))] = events(signal);
  }
  return kept;
}

}  // namespace

std::string kind_of(Resolution resolution) {
  return fmt::format("chunks {}", to_string(resolution));
}

bool is_as_long(Duration keep, Duration other) {
  return keep == Duration() || (other != Duration() && keep >= other);
}

Duration keep_of_kind(const KeptByKind& kept, std::string_view kind) {
  if (kind != kIndexKind) {
    const auto found = kept.find(kind == kExemplarKind ? kind_of(Resolution::kRaw) : kind);
    return found == kept.end() ? Duration() : found->second;
  }
  Duration longest = keep_of_kind(kept, kind_of(Resolution::kRaw));
  for (std::size_t i = 1; i < kResolutions; ++i) {
    const Duration keep = keep_of_kind(kept, kind_of(static_cast<Resolution>(i)));
    if (is_as_long(keep, longest)) longest = keep;
  }
  return longest;
}

Duration KeepTimes::of(const CustomerId& customer, Resolution resolution) const {
  if (retention_ != nullptr) return retention_->keep_of(customer, resolution);
  return classes_[index_of(resolution)].keep;
}

Duration KeepTimes::of(const CustomerId& customer, Signal signal) const {
  if (retention_ != nullptr) return retention_->keep_of(customer, signal);
  return signal == Signal::kTraces ? events_.traces : events_.logs;
}

KeptByKind KeepTimes::of_all(const CustomerId& customer) const {
  return by_kind([&](Resolution resolution) { return of(customer, resolution); },
                 [&](Signal signal) { return of(customer, signal); });
}

KeptByKind KeepTimes::of_others() const {
  if (retention_ != nullptr) {
    return by_kind([this](Resolution resolution) { return retention_->keep_of_others(resolution); },
                   [this](Signal signal) { return retention_->keep_of_others(signal); });
  }
  return by_kind(
      [this](Resolution resolution) { return classes_[index_of(resolution)].keep; },
      [this](Signal signal) { return signal == Signal::kTraces ? events_.traces : events_.logs; });
}

Duration KeepTimes::of_kind(const CustomerId& customer, std::string_view kind) const {
  const bool is_asked = retention_ != nullptr && kind == kIndexKind;
  return is_asked ? retention_->index_keep_of(customer) : keep_of_kind(of_all(customer), kind);
}

Duration KeepTimes::of_others(std::string_view kind) const {
  const bool is_asked = retention_ != nullptr && kind == kIndexKind;
  return is_asked ? retention_->index_keep_of_others() : keep_of_kind(of_others(), kind);
}

std::vector<CustomerId> KeepTimes::own() const {
  return retention_ == nullptr ? std::vector<CustomerId>() : retention_->own();
}

// What counts may have been set by a configuration of before, which nobody has checked now: rather
// for ever, which reads cut, than refused or too short.
RetentionClass KeepTimes::class_of(const CustomerId& customer, Resolution resolution) const {
  if (retention_ == nullptr) return classes_[index_of(resolution)];
  const auto kind = to_string(resolution);
  const auto found = cassandra::class_of(kind, retention_->keep_of(customer, resolution));
  if (found && check_expiry(kind, *found, clock_.wall_ms() / kMsPerSecond)) return *found;
  return retention_classes().back();
}

std::int32_t KeepTimes::live_seconds(Duration keep) const {
  const RetentionClass own{"of its own", keep,
                           keep == Duration() ? Duration() : keep + kLongerThanKept};
  if (!check_expiry("rows", own, clock_.wall_ms() / kMsPerSecond)) return 0;
  return static_cast<std::int32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(own.time_to_live).count());
}

std::int32_t KeepTimes::live_seconds(const CustomerId& customer, Signal signal) const {
  return live_seconds(of(customer, signal));
}

std::int32_t KeepTimes::live_seconds_of_exemplars(const CustomerId& customer) const {
  return live_seconds(of(customer, Resolution::kRaw));
}

}  // namespace vigia::storage::store::cassandra
