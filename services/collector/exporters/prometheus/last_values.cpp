#include "services/collector/exporters/prometheus/last_values.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "libs/base/utf8.hpp"

namespace vigia::collector::exporters::prometheus {
namespace {

using wire::prometheus::FamilyType;

std::string_view type_name(FamilyType type) {
  switch (type) {
    case FamilyType::kCounter:
      return "counter";
    case FamilyType::kGauge:
    case FamilyType::kInfo:
    case FamilyType::kStateset:
      return "gauge";
    case FamilyType::kHistogram:
    case FamilyType::kGaugeHistogram:
      return "histogram";
    case FamilyType::kSummary:
      return "summary";
    case FamilyType::kUnknown:
      break;
  }
  return "untyped";
}

std::string escape_help(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n')
      out += "\\n";
    else if (c == '\\')
      out += "\\\\";
    else
      out += c;
  }
  return out;
}

std::string value_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

std::size_t bytes_of(std::string_view labels) { return labels.size() + LastValues::kSeriesBytes; }

std::size_t bytes_of_family(std::string_view name, std::string_view help) {
  return name.size() + help.size() + LastValues::kFamilyBytes;
}

void append_line(std::string& out, std::string_view label_bytes, double value) {
  auto labels = wire::prometheus::decode_labels(label_bytes);
  if (!labels) return;
  out += labels->metric_name();
  labels->set(kNameLabel, "");
  if (!labels->empty()) out += to_string(*labels);
  out += ' ';
  out += value_text(value);
  out += '\n';
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
    known->second.value->second.value = point.value;
    known->second.value->second.received_ms = received_ms_;
  }
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

void LastValues::add_series(const series::SeriesPoint& point) {
  const series::Family& shown = point.family->family();
  const auto help = std::string_view(shown.help).substr(0, kHelpBytesMax);
  const std::size_t own_bytes = point.labels.size() + kSeriesBytes;
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
  const auto [value, is_other] = family->second.values.try_emplace(
      point.labels.bytes(), Value{customer_, point.value, received_ms_});
  if (!is_other) return;  // another hash of the same labels: there is none
  index_[point.series_hash] = {family, value};
  charge(customer_, own_bytes);
}

void LastValues::forget(Index::iterator known) {
  const auto [family, value] = known->second;
  const std::string customer = value->second.customer;
  give_back(customer, bytes_of(value->first));
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

/// By pieces, each under the lock for itself: an answer of 100 MiB must hold up neither the
/// exporter nor memory. What changes between two pieces is shown as of either.
std::string LastValues::next_piece(Bookmark& place) const {
  const std::lock_guard lock(mutex_);
  std::string out;
  auto found = place.is_in_family ? families_.lower_bound(place.family)
                                  : families_.upper_bound(place.family);
  for (; found != families_.end() && out.size() < kPieceBytes; ++found) {
    const auto& [name, family] = *found;
    const bool goes_on = place.is_in_family && name == place.family;
    if (!goes_on) {
      if (!family.help.empty())
        out += fmt::format("# HELP {} {}\n", name, escape_help(family.help));
      out += fmt::format("# TYPE {} {}\n", name, type_name(family.type));
    }
    auto value = goes_on ? family.values.upper_bound(place.labels) : family.values.begin();
    place = {name, goes_on ? place.labels : "", true};
    for (; value != family.values.end(); ++value) {
      if (out.size() >= kPieceBytes) return out;
      append_line(out, value->first, value->second.value);
      place.labels = value->first;
    }
    place.is_in_family = false;
  }
  return out;
}

std::string LastValues::expose() const {
  std::string out;
  Bookmark place;
  for (std::string piece = next_piece(place); !piece.empty(); piece = next_piece(place))
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

}  // namespace vigia::collector::exporters::prometheus
