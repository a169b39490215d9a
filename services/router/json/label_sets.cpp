#include "services/router/json/label_sets.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "libs/wire/prometheus_api/series.hpp"

namespace vigia::router::json {
namespace {

constexpr char kEnd = '\xff';  // in no UTF-8

std::string_view take(std::string_view& rest) {
  const std::size_t end = rest.find(kEnd);
  const std::string_view text = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return text;
}

}  // namespace

Result<LabelSets> LabelSets::read(std::string_view json) {
  LabelSets sets;
  auto read = wire::prometheus_api::read_label_sets(json, [&sets](const auto& labels) {
    const std::size_t begin = sets.text_.size();
    for (const auto& [name, value] : labels) {
      (sets.text_ += name) += kEnd;
      (sets.text_ += value) += kEnd;
    }
    sets.largest_ = std::max(sets.largest_, sets.text_.size() - begin);
    sets.ends_.push_back(sets.text_.size());
  });
  if (!read) return forward(read);
  return sets;
}

// One text for all sets, cut anew for each question: a million maps of labels would take ten times
// the room, and each is looked at once or twice.
template <typename See>
void LabelSets::for_each_choice(const CountedLabels& choice, const See& see) const {
  // A query may group by thousands of labels.
  const std::unordered_set<std::string_view> named(choice.labels.begin(), choice.labels.end());
  std::string chosen;
  std::size_t begin = 0;
  for (const std::size_t end : ends_) {
    chosen.clear();
    std::string_view rest = std::string_view(text_).substr(begin, end - begin);
    while (!rest.empty()) {
      const std::string_view name = take(rest);
      const std::string_view value = take(rest);
      if (named.contains(name) != choice.is_only) continue;
      (chosen += name) += kEnd;
      (chosen += value) += kEnd;
    }
    see(chosen);
    begin = end;
  }
}

std::size_t LabelSets::different(const CountedLabels& choice) const {
  std::unordered_set<std::string> seen;
  for_each_choice(choice, [&](const std::string& chosen) { seen.insert(chosen); });
  return seen.size();
}

std::size_t LabelSets::most_alike(const CountedLabels& choice) const {
  std::unordered_map<std::string, std::size_t> counts;
  std::size_t most = 0;
  for_each_choice(choice,
                  [&](const std::string& chosen) { most = std::max(most, ++counts[chosen]); });
  return most;
}

}  // namespace vigia::router::json
