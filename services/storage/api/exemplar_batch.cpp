#include "services/storage/api/exemplar_batch.hpp"

#include <algorithm>

#include "libs/base/utf8.hpp"
#include "services/storage/store/label_bytes.hpp"

namespace vigia::storage::api {
namespace {

using wire::remote_write::ExemplarView;
using wire::remote_write::SeriesView;

// More than `most` where there are more, or where the text is not UTF-8.
std::size_t count_characters(std::string_view text, std::size_t most) {
  std::size_t count = 0;
  while (!text.empty() && count <= most) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return most + 1;
    text.remove_prefix(length);
    ++count;
  }
  return count;
}

bool has_good_labels(const ExemplarView& exemplar) {
  std::size_t left = store::kExemplarCharactersMax;
  for (const auto& label : exemplar.labels) {
    if (label.name.empty()) return false;
    for (const std::string_view text : {label.name, label.value}) {
      const std::size_t characters = count_characters(text, left);
      if (characters > left) return false;
      left -= characters;
    }
  }
  return true;
}

std::string label_bytes_of(const ExemplarView& exemplar) {
  std::vector<Label> labels;
  labels.reserve(exemplar.labels.size());
  for (const auto& label : exemplar.labels)
    labels.push_back({std::string(label.name), std::string(label.value)});
  return store::encode_labels(Labels::from(std::move(labels)));
}

// Of the samples that came with the exemplars, a day more on each side.
struct Beside {
  TimestampMs first_ms = INT64_MAX;
  TimestampMs last_ms = INT64_MIN;
};

Beside beside_samples(const SeriesView& series, TimestampMs ahead_ms) {
  Beside beside;
  const auto see = [&](TimestampMs time_ms) {
    beside.first_ms = std::min(beside.first_ms, time_ms - store::kDayMs);
    beside.last_ms = std::max(beside.last_ms, time_ms + store::kDayMs);
  };
  for (const Sample& sample : series.samples) see(sample.timestamp_ms);
  for (const auto& histogram : series.histograms) see(histogram.timestamp_ms);
  if (beside.first_ms > beside.last_ms) return {0, ahead_ms};
  return beside;
}

}  // namespace

std::size_t ExemplarBatch::owned_by(const CustomerId& customer) {
  const auto at = std::find_if(owned_.begin(), owned_.end(),
                               [&](const auto& one) { return one.customer == customer; });
  if (at != owned_.end()) return static_cast<std::size_t>(at - owned_.begin());
  owned_.push_back({customer, {}});
  at_.emplace_back();
  return owned_.size() - 1;
}

store::DayRange ExemplarBatch::add(const CustomerId& customer, const SeriesView& series,
                                   std::size_t at) {
  store::DayRange days = store::kNoDays;
  if (series.exemplars.empty()) return days;
  counts_.received += series.exemplars.size();
  const Beside beside = beside_samples(series, times_.ahead_ms);
  const std::size_t owner = owned_by(customer);
  for (const ExemplarView& exemplar : series.exemplars) {
    const TimestampMs time_ms = exemplar.sample.timestamp_ms;
    if (time_ms < 0 || time_ms < beside.first_ms || time_ms > beside.last_ms ||
        taken_ == kRequestExemplarsMax || !has_good_labels(exemplar)) {
      ++counts_.refused;
      continue;
    }
    if (time_ms < times_.kept_ms || time_ms < times_.taken_ms) {
      ++(time_ms < times_.kept_ms ? counts_.expired : counts_.refused);
      continue;
    }
    days = store::joined(days, {store::day_of(time_ms), store::day_of(time_ms)});
    owned_[owner].exemplars.push_back(
        {{}, {time_ms, normalized(exemplar.sample.value)}, label_bytes_of(exemplar)});
    at_[owner].push_back(at);
    ++taken_;
  }
  return days;
}

void ExemplarBatch::refuse(const SeriesView& series) {
  counts_.received += series.exemplars.size();
  counts_.refused += series.exemplars.size();
}

void ExemplarBatch::resolve(const std::vector<ingest::SeriesBatch>& series) {
  for (std::size_t owner = 0; owner < owned_.size(); ++owner) {
    for (std::size_t i = 0; i < at_[owner].size(); ++i)
      owned_[owner].exemplars[i].series = series[at_[owner][i]].id;
  }
}

}  // namespace vigia::storage::api
