#include "services/collector/processors/sampler/trace_state.hpp"

#include <algorithm>

#include "services/collector/processors/sampler/threshold.hpp"

namespace vigia::collector::processors::sampler {
namespace {

// W3C Trace Context, 3.3.1: bytes that have to be passed on, members, bytes of key and value.
constexpr std::size_t kBytesMax = 1024;
constexpr std::size_t kMembersMax = 32;
constexpr std::size_t kKeyBytesMax = 256;
constexpr std::size_t kVendorBytesMax = 241;  ///< before the @
constexpr std::size_t kSystemBytesMax = 14;   ///< behind it
constexpr std::size_t kValueBytesMax = 256;
constexpr std::size_t kOursBytesMax = 256;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_key_char(char c) {
  return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '*' || c == '/';
}
bool is_value_char(char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; }
bool is_our_key_char(char c) { return is_lower(c) || is_digit(c); }
bool is_our_value_char(char c) {
  return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
}
bool all_of(std::string_view text, bool (*is_allowed)(char)) {
  return std::all_of(text.begin(), text.end(), is_allowed);
}

/// "vendor", or "customer@vendor", whose first part may begin with a digit.
bool is_key(std::string_view key) {
  const std::size_t at = key.find('@');
  if (at == std::string_view::npos)
    return !key.empty() && key.size() <= kKeyBytesMax && is_lower(key.front()) &&
           all_of(key, is_key_char);
  const std::string_view vendor = key.substr(0, at);
  const std::string_view system = key.substr(at + 1);
  return !vendor.empty() && vendor.size() <= kVendorBytesMax && !system.empty() &&
         system.size() <= kSystemBytesMax &&
         (is_lower(vendor.front()) || is_digit(vendor.front())) && is_lower(system.front()) &&
         all_of(vendor, is_key_char) && all_of(system, is_key_char);
}

bool is_value(std::string_view value) {
  return !value.empty() && value.size() <= kValueBytesMax && value.back() != ' ' &&
         all_of(value, is_value_char);
}

bool is_our_key(std::string_view key) {
  return !key.empty() && is_lower(key.front()) && all_of(key, is_our_key_char);
}

/// The part up to the separator, which is taken off with it.
std::string_view take(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

void append(std::string& list, char separator, std::string_view part) {
  if (part.empty()) return;
  if (!list.empty()) list += separator;
  list += part;
}

}  // namespace

bool TraceState::read_ours(std::string_view fields) {
  if (fields.empty() || fields.size() > kOursBytesMax || fields.back() == ';') return false;
  // Of several the last counts.
  threshold_ = randomness_ = std::nullopt;
  more_.clear();
  while (!fields.empty()) {
    const std::string_view field = take(fields, ';');
    const std::size_t colon = field.find(':');
    if (colon == std::string_view::npos || !is_our_key(field.substr(0, colon)) ||
        !all_of(field.substr(colon + 1), is_our_value_char))
      return false;
    if (field.starts_with("th:")) {
      threshold_ = read_threshold(field.substr(3));
      if (!threshold_) return false;
    } else if (field.starts_with("rv:")) {
      randomness_ = read_randomness(field.substr(3));
      if (!randomness_) return false;
    } else {
      append(more_, ';', field);
    }
  }
  return true;
}

std::optional<TraceState> TraceState::read(std::string_view text) {
  if (text.size() > kBytesMax) return std::nullopt;
  TraceState state;
  std::size_t members = 0;
  while (!text.empty()) {
    const std::string_view member = trimmed(take(text, ','));
    if (++members > kMembersMax) return std::nullopt;
    if (member.empty()) continue;
    const std::size_t equals = member.find('=');
    if (equals == std::string_view::npos || !is_key(member.substr(0, equals)) ||
        !is_value(member.substr(equals + 1)))
      return std::nullopt;
    if (member.substr(0, equals) != "ot") {
      append(state.others_, ',', member);
    } else if (!state.read_ours(member.substr(equals + 1))) {
      return std::nullopt;
    }
  }
  return state;
}

std::string TraceState::text() const {
  std::string ours;
  if (threshold_) append(ours, ';', "th:" + threshold_text(*threshold_));
  if (randomness_) append(ours, ';', "rv:" + randomness_text(*randomness_));
  append(ours, ';', more_);
  std::string text = ours.empty() ? "" : "ot=" + ours;
  append(text, ',', others_);
  return text;
}

}  // namespace vigia::collector::processors::sampler
