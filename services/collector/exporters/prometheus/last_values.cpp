#include "services/collector/exporters/prometheus/last_values.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "libs/base/utf8.hpp"
#include "libs/model/labels.hpp"
#include "libs/wire/prometheus/exemplars.hpp"
#include "libs/wire/prometheus/names.hpp"

namespace vigia::collector::exporters::prometheus {
namespace {

using wire::prometheus::FamilyType;

/// Which of a family's samples a series is.
enum class Part : std::uint8_t { kValue, kBucket, kSum, kCount };
constexpr std::size_t kPartBytes = 9;  // the part, and a bound that sorts as bytes

bool has_parts(FamilyType type) {
  return type == FamilyType::kHistogram || type == FamilyType::kSummary;
}

std::string_view bound_label(FamilyType type) {
  return type == FamilyType::kSummary ? "quantile" : "le";
}

std::string_view suffix_of(Part part, FamilyType type) {
  if (part == Part::kSum) return "_sum";
  if (part == Part::kCount) return "_count";
  return part == Part::kBucket && type == FamilyType::kHistogram ? "_bucket" : "";
}

Part part_of(std::string_view name, std::string_view family) {
  const std::string_view suffix = name.substr(std::min(family.size(), name.size()));
  if (suffix == "_sum") return Part::kSum;
  return suffix == "_count" ? Part::kCount : Part::kBucket;
}

void append_bound(std::string& out, double bound) {
  // Ascending as numbers, ascending as bytes.
  auto bits = std::bit_cast<std::uint64_t>(bound);
  constexpr std::uint64_t kSign = 1ULL << 63U;
  bits = (bits & kSign) != 0 ? ~bits : bits | kSign;
  for (int shift = 56; shift >= 0; shift -= 8)
    out += static_cast<char>(static_cast<unsigned char>(bits >> static_cast<unsigned>(shift)));
}

double read_bound(std::string_view bytes) {
  std::uint64_t bits = 0;
  for (const char c : bytes) bits = (bits << 8U) | static_cast<unsigned char>(c);
  constexpr std::uint64_t kSign = 1ULL << 63U;
  return std::bit_cast<double>((bits & kSign) != 0 ? bits & ~kSign : ~bits);
}

/// By which the values of a family lie: the labels that a histogram's or summary's samples have in
/// common, then which of them it is and of which bound, so that they stand together and in their
/// order.
std::string key_of(const series::SeriesPoint& point, const series::Family& family) {
  const auto labels = wire::prometheus::decode_labels(point.labels.bytes());
  std::string key;
  if (!labels) return key;
  const bool is_composite = has_parts(family.type);
  const Part part = is_composite ? part_of(labels->metric_name(), family.name) : Part::kValue;
  const std::string_view bound = part == Part::kBucket ? bound_label(family.type) : "";
  for (const Label& label : *labels) {
    if (label.name != kNameLabel && label.name != bound)
      wire::prometheus::append_label(key, label.name, label.value);
  }
  if (!is_composite) return key;
  key += static_cast<char>(part);
  append_bound(key,
               bound.empty() ? 0 : std::strtod(std::string(labels->get(bound)).c_str(), nullptr));
  return key;
}

std::size_t bytes_of(std::string_view labels) { return labels.size() + LastValues::kSeriesBytes; }

std::size_t bytes_of_family(std::string_view name, std::string_view help) {
  return name.size() + help.size() + LastValues::kFamilyBytes;
}

}  // namespace

void LastValues::set_customer(const CustomerId& customer) {
  const std::lock_guard lock(mutex_);
  customer_ = customer.text();
}

void LastValues::set_received_ms(std::int64_t received_ms) {
  const std::lock_guard lock(mutex_);
  received_ms_ = received_ms;
}

void LastValues::take(const series::SeriesPoint& point) {
  if (!point.histogram.empty() || !point.has_value) return;
  const std::lock_guard lock(mutex_);
  const auto known = index_.find(point.series_hash);
  // As a scrape does it: what has ended is not shown any more, rather than with its last value.
  if (is_stale_mark(point.value)) {
    if (known != index_.end()) forget(known);
  } else if (known == index_.end()) {
    add_series(point);
  } else {
    keep(known->second.value->second, point);
  }
}

/// The value's exemplar is the newest that there was, as far as it finds room.
void LastValues::keep(Value& value, const series::SeriesPoint& point) {
  value.value = point.value;
  value.received_ms = received_ms_;
  value.timestamp_ms = point.timestamp_ms;
  const std::string_view exemplar = wire::prometheus::last_exemplar(point.exemplars);
  if (exemplar.empty()) return;
  give_back(value.customer, value.exemplar.size());
  value.exemplar.clear();
  if (!has_room(exemplar.size())) return;
  value.exemplar = exemplar;
  charge(value.customer, exemplar.size());
}

bool LastValues::has_room(std::size_t bytes) const {
  if (index_.size() >= limits_.series_max || bytes_ + bytes > limits_.bytes_max) return false;
  // Half is first come, first served; from there on a customer has its share, so that whoever makes
  // series without end leaves room for the others.
  if (bytes_ + bytes <= limits_.bytes_max / 2) return true;
  const auto own = customer_bytes_.find(customer_);
  const std::size_t used = own == customer_bytes_.end() ? 0 : own->second;
  return static_cast<double>(used + bytes) <=
         static_cast<double>(limits_.bytes_max) * limits_.customer_share;
}

void LastValues::charge(const std::string& customer, std::size_t bytes) {
  bytes_ += bytes;
  customer_bytes_[customer] += bytes;
}

void LastValues::give_back(const std::string& customer, std::size_t bytes) {
  bytes_ -= bytes;
  const auto own = customer_bytes_.find(customer);
  own->second -= bytes;
  if (own->second == 0) customer_bytes_.erase(own);
}

void LastValues::note_conflict(const std::string& family, bool is_type) {
  ++(is_type ? conflicts_.of_type : conflicts_.of_help)[customer_];
  if (told_.size() >= kToldMax || !told_.insert(family).second) return;
  conflicts_.news.push_back({family, customer_, is_type});
}

/// A page has each name once, with one type: also those that a histogram or a summary makes of its
/// family's. The first that came stays.
bool LastValues::is_in_conflict(const series::Family& shown) {
  const auto is_there = [this](std::string_view base, std::string_view suffix) {
    return families_.contains(fmt::format("{}{}", base, suffix));
  };
  const std::string& name = shown.name;
  if (const auto same = families_.find(name); same != families_.end()) {
    if (same->second.type != shown.type) return true;
    if (same->second.help != to_utf8(std::string_view(shown.help).substr(0, kHelpBytesMax)))
      note_conflict(name, false);
    return false;
  }
  if (has_parts(shown.type)) {
    if (is_there(name, "_sum") || is_there(name, "_count")) return true;
    if (shown.type == FamilyType::kHistogram && is_there(name, "_bucket")) return true;
  }
  for (const std::string_view suffix : {"_sum", "_count", "_bucket"}) {
    if (!name.ends_with(suffix)) continue;
    const auto base = families_.find(std::string_view(name).substr(0, name.size() - suffix.size()));
    if (base == families_.end() || !has_parts(base->second.type)) continue;
    if (suffix != "_bucket" || base->second.type == FamilyType::kHistogram) return true;
  }
  return false;
}

void LastValues::add_series(const series::SeriesPoint& point) {
  const series::Family& shown = point.family->family();
  if (is_in_conflict(shown)) {
    note_conflict(shown.name, true);
    return;
  }
  const auto help = std::string_view(shown.help).substr(0, kHelpBytesMax);
  std::string key = key_of(point, shown);
  const std::size_t own_bytes = bytes_of(key);
  const bool is_new = !families_.contains(shown.name);
  const std::size_t family_bytes = is_new ? bytes_of_family(shown.name, help) : 0;
  if (!has_room(own_bytes + family_bytes)) {
    ++over_limit_[customer_];
    return;
  }
  const auto family = families_.try_emplace(shown.name).first;
  if (is_new) {
    family->second.help = to_utf8(help);
    // A family's name and help lie there once for all customers; one of them pays, and when its
    // last series goes the next one does.
    family->second.payer = customer_;
    family->second.type = shown.type;
    charge(customer_, bytes_of_family(shown.name, family->second.help));
  }
  const auto [value, is_added] =
      family->second.values.try_emplace(std::move(key), Value{.customer = customer_});
  if (!is_added) return;  // another hash of the same labels: there is none
  index_[point.series_hash] = {family, value};
  charge(customer_, own_bytes);
  keep(value->second, point);
}

void LastValues::forget(Index::iterator known) {
  const auto [family, value] = known->second;
  const std::string customer = value->second.customer;
  give_back(customer, bytes_of(value->first) + value->second.exemplar.size());
  family->second.values.erase(value);
  index_.erase(known);
  settle_family(family, customer);
}

/// One of `left`'s series has left it.
void LastValues::settle_family(Families::iterator family, const std::string& left) {
  Family& content = family->second;
  if (!content.values.empty() && content.payer != left) return;
  const std::size_t bytes = bytes_of_family(family->first, content.help);
  give_back(content.payer, bytes);
  if (content.values.empty()) {
    families_.erase(family);
    return;
  }
  content.payer = content.values.begin()->second.customer;
  charge(content.payer, bytes);
}

void LastValues::expire(std::int64_t before_ms) {
  const std::lock_guard lock(mutex_);
  for (auto known = index_.begin(); known != index_.end();) {
    const auto next = std::next(known);
    if (known->second.value->second.received_ms < before_ms) forget(known);
    known = next;
  }
}

bool LastValues::Bookmark::take_name(const std::string& shown, bool is_taken) {
  constexpr std::size_t kNamesMax = 10'000;
  return !is_taken && escaped_families.size() < kNamesMax && escaped_families.insert(shown).second;
}

void LastValues::write_value(const FamilyWriter& writer, FamilyType type,
                             const Values::value_type& value, std::string& out) const {
  std::string_view labels = value.first;
  ShownSample sample;
  if (has_parts(type)) {
    const std::string_view end = labels.substr(labels.size() - kPartBytes);
    labels.remove_suffix(kPartBytes);
    const auto part = static_cast<Part>(end.front());
    sample.suffix = suffix_of(part, type);
    if (part == Part::kBucket) {
      sample.extra_name = bound_label(type);
      sample.extra_value = wire::prometheus::number_text(read_bound(end.substr(1)));
    }
  }
  sample.label_bytes = labels;
  sample.value = value.second.value;
  sample.timestamp_ms = value.second.timestamp_ms;
  sample.exemplar = value.second.exemplar;
  writer.sample(out, sample);
}

/// By pieces, each under the lock for itself: an answer of 100 MiB must hold up neither the
/// exporter nor memory. What changes between two pieces is shown as of either.
std::string LastValues::next_piece(const Exposition& exposition, Bookmark& place) const {
  constexpr std::string_view kTotal = "_total";
  const std::lock_guard lock(mutex_);
  std::string out;
  if (place.is_ended) return out;
  auto found = place.is_in_family ? families_.lower_bound(place.family)
                                  : families_.upper_bound(place.family);
  for (; found != families_.end() && out.size() < kPieceBytes; ++found) {
    const auto& [name, family] = *found;
    const bool goes_on = place.is_in_family && name == place.family;
    const bool is_base_free =
        !name.ends_with(kTotal) ||
        !families_.contains(std::string_view(name).substr(0, name.size() - kTotal.size()));
    const FamilyWriter writer(exposition, name, family.type, is_base_free);
    if (!goes_on) {
      place.family = name;
      place.is_in_family = false;
      // Another name that is the same to this reader.
      const std::string shown = escaped_name(name, exposition.escaping, false);
      if (shown != name && !place.take_name(shown, families_.contains(shown))) continue;
      writer.head(out, family.help);
      place.is_in_family = true;
      place.has_key = false;
    }
    auto value = place.has_key ? family.values.upper_bound(place.key) : family.values.begin();
    for (; value != family.values.end(); ++value) {
      if (out.size() >= kPieceBytes) return out;
      write_value(writer, family.type, *value, out);
      place.key = value->first;
      place.has_key = true;
    }
    place.is_in_family = false;
  }
  if (found == families_.end()) {
    place.is_ended = true;
    if (exposition.is_open_metrics) out += "# EOF\n";
  }
  return out;
}

std::string LastValues::expose(const Exposition& exposition) const {
  std::string out;
  Bookmark place;
  for (std::string piece = next_piece(exposition, place); !piece.empty();
       piece = next_piece(exposition, place))
    out += piece;
  return out;
}

std::uint64_t LastValues::series() const {
  const std::lock_guard lock(mutex_);
  return index_.size();
}

std::uint64_t LastValues::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::map<std::string, std::uint64_t> LastValues::take_over_limit() {
  const std::lock_guard lock(mutex_);
  return std::exchange(over_limit_, {});
}

LastValues::Conflicts LastValues::take_conflicts() {
  const std::lock_guard lock(mutex_);
  return std::exchange(conflicts_, {});
}

}  // namespace vigia::collector::exporters::prometheus
