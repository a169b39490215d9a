#include "services/storage/keep/raw_lines.hpp"

#include <bit>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "libs/base/hex.hpp"
#include "libs/base/json_text.hpp"

namespace vigia::storage::keep {
namespace {

bool all_match(const store::LabelMatchers& matchers, const Labels& labels) {
  std::vector<store::LabelTexts> views;
  for (const Label& label : labels) views.emplace_back(label.name, label.value);
  return store::all_match(matchers, views);
}

std::string beginning_of(const std::string& customer, store::SeriesId series,
                         const std::optional<Labels>& labels) {
  std::string text =
      fmt::format(R"({{"customer":{},"series":{},"labels":)", json_text(customer), series.value);
  if (!labels.has_value()) return text + "null";
  char separator = '{';
  for (const Label& label : *labels) {
    text.push_back(separator);
    append_json_text(text, label.name);
    text.push_back(':');
    append_json_text(text, label.value);
    separator = ',';
  }
  return text + (labels->empty() ? "{}" : "}");
}

}  // namespace

Result<bool> RawLines::begin_series(customers::CustomerNumber customer, store::SeriesId series) {
  if (known_.has_value() && known_->customer == customer && known_->series == series) {
    return known_->is_wanted;
  }
  if (wish_.query.customer.has_value() && customer != *wish_.query.customer) return false;
  const auto labels = contents_.labels_of(customer, series);
  const bool is_damaged = !labels && labels.error().code == ErrorCode::kCorrupt;
  if (!labels && !is_damaged) return forward(labels);
  if (is_damaged) {
    bad_row_(fmt::format("labels of customer {}, series {}: {}", customer.value, series.value,
                         labels.error().message));
  }
  const auto id = contents_.customers().find(customer.value);
  const std::string name =
      id == contents_.customers().end() ? fmt::format("#{}", customer.value) : id->second.text();
  const std::optional<Labels> known = is_damaged ? std::nullopt : *labels;
  known_ = {customer, series, beginning_of(name, series, known),
            is_damaged || all_match(wish_.matchers, known.value_or(Labels()))};
  return known_->is_wanted;
}

void RawLines::begin_line(TimestampMs time_ms) {
  ++lines_;
  line_ = known_->beginning;
  line_ += fmt::format(R"(,"time_ms":{},)", time_ms);
}

// A line that is lost must end the walk: whoever reads on finds a whole file and an exit code of 0.
Result<void> RawLines::end_line(std::string_view ending) {
  line_ += ending;
  if (std::fwrite(line_.data(), 1, line_.size(), out_) == line_.size()) return {};
  return fail(ErrorCode::kUnavailable, "the lines cannot be written");
}

template <typename Samples>
Result<void> RawLines::print_all(const Samples& samples, std::string_view ending) {
  for (const auto& sample : samples) {
    if (auto printed = print(sample, ending); !printed) return printed;
  }
  return {};
}

Result<void> RawLines::print(const Sample& sample, std::string_view ending) {
  if (!is_wanted(sample.timestamp_ms)) return {};
  begin_line(sample.timestamp_ms);
  line_ += fmt::format(R"("value":"{}")", sample.value);
  if (std::isnan(sample.value)) {
    line_ += fmt::format(R"(,"bits":"{:016x}")", std::bit_cast<std::uint64_t>(sample.value));
  }
  return end_line(ending);
}

Result<void> RawLines::print(const chunk::HistogramSample& sample, std::string_view ending) {
  if (!is_wanted(sample.timestamp_ms)) return {};
  begin_line(sample.timestamp_ms);
  line_ += fmt::format(R"("histogram":"{}")", to_hex(sample.encoded));
  return end_line(ending);
}

Result<void> RawLines::add(const instance::RawRow& row, std::string_view place) {
  const auto is_wanted = begin_series(row.customer, row.series);
  if (!is_wanted) return forward(is_wanted);
  if (!*is_wanted) return {};
  const std::string ending =
      fmt::format(",\"version\":{},\"place\":\"{}\"}}\n", row.version, place);
  if (auto printed = print_all(row.samples, ending); !printed) return printed;
  return print_all(row.histograms, ending);
}

Result<void> RawLines::add(const ingest::IngestBatch& batch, std::string_view place) {
  const std::string ending = fmt::format(",\"place\":\"{}\"}}\n", place);
  for (const ingest::SeriesBatch& series : batch.series) {
    const auto is_wanted = begin_series(series.customer, series.id);
    if (!is_wanted) return forward(is_wanted);
    if (!*is_wanted) continue;
    if (auto printed = print_all(series.samples, ending); !printed) return printed;
    if (auto printed = print_all(series.histograms, ending); !printed) return printed;
  }
  return {};
}

}  // namespace vigia::storage::keep
