#include "services/collector/processors/sampler/trace_state.hpp"

#include "services/collector/processors/sampler/threshold.hpp"

namespace vigia::collector::processors::sampler {
namespace {

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

std::optional<TraceState> TraceState::read(std::string_view text) {
  constexpr std::string_view kOurs = "ot=";
  TraceState state;
  while (!text.empty()) {
    const std::string_view member = trimmed(take(text, ','));
    if (!member.starts_with(kOurs)) {
      append(state.others_, ',', member);
      continue;
    }
    std::string_view fields = member.substr(kOurs.size());
    while (!fields.empty()) {
      const std::string_view field = trimmed(take(fields, ';'));
      if (field.find(':') == std::string_view::npos) return std::nullopt;
      if (field.starts_with("th:")) {
        state.threshold_ = read_threshold(field.substr(3));
        if (!state.threshold_) return std::nullopt;
      } else if (field.starts_with("rv:")) {
        state.randomness_ = read_randomness(field.substr(3));
        if (!state.randomness_) return std::nullopt;
      } else {
        append(state.more_, ';', field);
      }
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
