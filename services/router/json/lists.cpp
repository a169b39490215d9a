#include "services/router/json/lists.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include <simdjson.h>

#include "libs/base/json_text.hpp"
#include "libs/wire/prometheus_api/series.hpp"

namespace vigia::router::json {
namespace {

namespace dom = simdjson::dom;
namespace prometheus_api = wire::prometheus_api;
using prometheus_api::LabelViews;
using prometheus_api::value_of;

constexpr double kMsPerSecond = 1'000;

/// What has been read, or why it could not be.
template <typename T>
Result<T> read_or(Result<void> read, T found) {
  if (!read) return forward(read);
  return found;
}

template <typename Write>
void write_list(const std::vector<std::string_view>& items, std::string& out, const Write& write) {
  out += '[';
  bool is_first = true;
  for (const std::string_view item : items) {
    if (!std::exchange(is_first, false)) out += ',';
    write(item);
  }
  out += ']';
}

}  // namespace

// One text and where each item ends: a million names would else be a million blocks, of which the
// allocator keeps many long after the answer is gone.
void TextList::add(std::string_view text) {
  text_ += text;
  ends_.push_back(text_.size());
}

Result<TextList> read_texts(std::string_view json) {
  TextList list;
  auto read = prometheus_api::read_texts(json, [&list](std::string_view text) { list.add(text); });
  return read_or(std::move(read), std::move(list));
}

Result<TextList> read_series(std::string_view json) {
  TextList list;
  std::string text;  // room for one series after another
  auto read = prometheus_api::read_label_sets(json, [&](const LabelViews& labels) {
    // Stores write the labels of a series in one order, so the same series of two stores is the
    // same text, stands beside itself once all are sorted, and goes once.
    text.assign(1, '{');
    for (const auto& [name, value] : labels) {
      if (text.size() > 1) text += ',';
      append_json_text(text, name);
      text += ':';
      append_json_text(text, value);
    }
    text += '}';
    list.add(text);
  });
  return read_or(std::move(read), std::move(list));
}

std::vector<std::string_view> merged(const std::vector<TextList>& lists) {
  std::vector<std::string_view> all;
  std::size_t count = 0;
  for (const TextList& list : lists) count += list.size();
  all.reserve(count);
  for (const TextList& list : lists) {
    for (std::size_t i = 0; i < list.size(); ++i) all.push_back(list[i]);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

Result<TimesByLabel> read_matrix_times(std::string_view json, std::string_view label) {
  TimesByLabel found;
  auto read = prometheus_api::read_matrix(json, [&](const LabelViews& labels, const auto& points) {
    auto& times = found[std::string(value_of(labels, label))];
    for (const auto& point : points) times.push_back(std::llround(point.time_s * kMsPerSecond));
  });
  for (auto& [value, times] : found) std::sort(times.begin(), times.end());
  return read_or(std::move(read), std::move(found));
}

Result<SamplesByLabel> read_matrix_samples(std::string_view json, std::string_view label) {
  SamplesByLabel found;
  auto read = prometheus_api::read_matrix(json, [&](const LabelViews& labels, const auto& points) {
    auto& samples = found[std::string(value_of(labels, label))];
    for (const auto& point : points) {
      samples.push_back({std::llround(point.time_s * kMsPerSecond), point.value});
    }
  });
  return read_or(std::move(read), std::move(found));
}

Result<double> read_vector_value(std::string_view json) {
  double found = 0;
  auto read = prometheus_api::read_vector(
      json, [&found](const LabelViews& /*labels*/, double value) { found = value; });
  return read_or(std::move(read), found);
}

Result<std::map<std::string, double>> read_vector_values(std::string_view json,
                                                         std::string_view label) {
  std::map<std::string, double> found;
  auto read = prometheus_api::read_vector(json, [&](const LabelViews& labels, double value) {
    found[std::string(value_of(labels, label))] = value;
  });
  return read_or(std::move(read), std::move(found));
}

Result<std::vector<std::int64_t>> read_integers(std::string_view json,
                                                const std::vector<std::string_view>& keys) {
  dom::parser parser;
  dom::element object;
  auto failure = parser.parse(json.data(), json.size()).get(object);
  std::vector<std::int64_t> numbers;
  for (const std::string_view key : keys) {
    std::int64_t number = 0;
    if (failure == simdjson::SUCCESS) failure = object[key].get_int64().get(number);
    if (failure != simdjson::SUCCESS) {
      return fail(ErrorCode::kCorrupt, "a whole number is missing in an answer");
    }
    numbers.push_back(number);
  }
  return numbers;
}

// In a text each quote has a backslash before it, and no label's value is an object: so this stands
// before the labels of series alone.
std::uint64_t count_series(std::string_view json) {
  constexpr std::string_view kLabels = R"("metric":{)";
  std::uint64_t count = 0;
  const char* at = json.data();
  const char* const end = at + json.size();
  while (const void* found =
             ::memmem(at, static_cast<std::size_t>(end - at), kLabels.data(), kLabels.size())) {
    ++count;
    at = static_cast<const char*>(found) + kLabels.size();
  }
  return count;
}

std::string read_text_of(std::string_view json, std::string_view key) {
  dom::parser parser;
  std::string_view text;
  const auto failure = parser.parse(json.data(), json.size())[key].get_string().get(text);
  return failure == simdjson::SUCCESS ? std::string(text) : "";
}

void write_texts(const std::vector<std::string_view>& texts, std::string& out) {
  write_list(texts, out, [&out](std::string_view text) { append_json_text(out, text); });
}

void write_values(const std::vector<std::string_view>& values, std::string& out) {
  std::size_t bytes = 2;
  for (const std::string_view value : values) bytes += value.size() + 1;
  out.reserve(out.size() + bytes);
  write_list(values, out, [&out](std::string_view value) { out += value; });
}

}  // namespace vigia::router::json
