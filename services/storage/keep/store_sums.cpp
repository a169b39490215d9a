#include "services/storage/keep/store_sums.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <set>

#include <fmt/format.h>
#include <xxhash.h>

#include "libs/base/bytes.hpp"
#include "libs/chunk/chunk_reader.hpp"
#include "services/storage/histograms/same_histogram.hpp"
#include "services/storage/keep/event_copy.hpp"
#include "services/storage/keep/one_of_times.hpp"
#include "services/storage/keep/sound_rows.hpp"
#include "services/storage/store/histogram_encoding.hpp"
#include "services/storage/store/label_bytes.hpp"
#include "services/storage/store/row_merge.hpp"
#include "services/storage/store/span_tags.hpp"

namespace vigia::storage::keep {
namespace {

enum class Summed : std::uint64_t {
  kFloat = 1,
  kHistogram = 2,
  kExemplar = 3,
  kWindow = 4,
  kHistogramDay = 5
};

std::uint64_t hash_of(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::uint64_t hash_of(const std::array<std::uint64_t, 4>& numbers) {
  return XXH3_64bits(numbers.data(), sizeof(numbers));
}

std::uint64_t hash_of(const store::EventView& event) {
  std::string text;
  for (const std::string_view part : {event.resource, event.resource_schema_url, event.scope,
                                      event.scope_schema_url, event.item}) {
    append_sized(text, part);
  }
  return hash_of(text);
}

// Values of one series on one day.
class SeriesSum {
 public:
  SeriesSum(const Labels& labels, std::uint32_t day)
      : source_(hash_of(store::encode_labels(labels))),
        from_ms_(first_ms_of(day)),
        to_ms_(last_ms_of(day)) {}

  // kCorrupt for a damaged row, of which nothing counts then.
  Result<void> add(const store::ChunkRow& row) {
    std::vector<HeldValue> values;
    if (store::holds_histograms(row.encoding)) {
      const auto histograms = store::histograms_of(row);
      if (!histograms) return forward(histograms);
      for (const chunk::HistogramSample& one : *histograms) {
        // By what it says: one of the stores may have it as a message, and one in a chunk.
        values.push_back(
            {one.timestamp_ms, row.version, hash_of(histograms::said_by(one.encoded))});
      }
      histograms_.add_row(row.first_ms, values);
      return {};
    }
    if (row.encoding != store::Encoding::kFloats) {
      return fail(ErrorCode::kCorrupt, "it has an unknown encoding");
    }
    const auto samples = chunk::read_samples(row.data);
    if (!samples) return forward(samples);
    for (const Sample& one : *samples) {
      values.push_back({one.timestamp_ms, row.version, std::bit_cast<std::uint64_t>(one.value)});
    }
    floats_.add_row(row.first_ms, values);
    return {};
  }
  void add_to(DaySum& sum) {
    floats_.finish();
    histograms_.finish();
    if (own_.items > 0) ++sum.sources;
    sum.items += own_.items;
    sum.checksum += own_.checksum;
  }

 private:
  OneOfTimes::Visit count(Summed kind) {
    return [this, kind](TimestampMs time_ms, std::uint64_t value) {
      if (time_ms < from_ms_ || time_ms > to_ms_) return;
      ++own_.items;
      own_.checksum += hash_of(
          {source_, static_cast<std::uint64_t>(kind), static_cast<std::uint64_t>(time_ms), value});
    };
  }

  const std::uint64_t source_;
  const TimestampMs from_ms_;
  const TimestampMs to_ms_;
  DaySum own_;
  OneOfTimes floats_{count(Summed::kFloat)};
  OneOfTimes histograms_{count(Summed::kHistogram)};
};

}  // namespace

std::uint64_t items_left_out(store::ColdStore& store) {
  const store::ExemplarStore* exemplars = store.exemplars();
  const store::MetadataStore* metadata = store.metadata();
  return store.events().damaged_items(Signal::kTraces) +
         store.events().damaged_items(Signal::kLogs) +
         (exemplars == nullptr ? 0 : exemplars->damaged()) +
         (metadata == nullptr ? 0 : metadata->damaged());
}

Result<DaySum> StoreSums::samples(const CustomerId& customer, std::uint32_t day) {
  DaySum sum;
  auto visited = each_page(store_.catalog(), customer, {day, day}, [&](const SeriesPage& page) {
    return add_page(customer, day, page, sum);
  });
  if (!visited) return forward(visited);
  return sum;
}

Result<void> StoreSums::add_page(const CustomerId& customer, std::uint32_t day,
                                 const SeriesPage& page, DaySum& sum) {
  const auto keys = keys_of(page);
  SoundRows sound(store_.chunks(), customer, keys,
                  {first_ms_of(day), last_ms_of(day), Resolution::kRaw});
  std::optional<SeriesSum> series;
  std::size_t at = SIZE_MAX;
  for (;;) {
    const auto rows = sound.next();
    if (!rows && rows.error().code != ErrorCode::kCorrupt) return forward(rows);
    if (!rows) {
      say_(fmt::format("customer {}, {}, day {}: {}", customer.text(),
                       to_string(page[sound.at()].labels), day, rows.error().message));
      continue;
    }
    if (series && (rows->empty() || sound.at() != at)) {
      series->add_to(sum);
      series.reset();
    }
    if (rows->empty()) return {};
    at = sound.at();
    if (!series) series.emplace(page[at].labels, day);
    for (const store::ChunkRow& row : *rows) {
      const auto added = series->add(row);
      if (added) continue;
      say_(fmt::format("customer {}, {}: the row from {} ms on, version {}: {}", customer.text(),
                       to_string(page[at].labels), row.first_ms, row.version,
                       added.error().message));
    }
  }
}

// Both windows and days of native histograms, of which there are none.
Result<std::map<std::uint32_t, DaySum>> StoreSums::windows(const CustomerId& customer,
                                                           const RollupPeriod& period) {
  std::map<std::uint32_t, DaySum> sums;
  const auto add_page = [&](const SeriesPage& page, const std::vector<SeriesWindows>& all) {
    for (const SeriesWindows& one : all) {
      const std::uint64_t source = hash_of(store::encode_labels(page[one.at].labels));
      std::set<std::uint32_t> days;
      const auto add = [&](Summed kind, std::uint32_t day, std::uint64_t value) {
        days.insert(day);
        ++sums[day].items;
        sums[day].checksum += hash_of({source, static_cast<std::uint64_t>(kind),
                                       static_cast<std::uint64_t>(period.resolution), value});
      };
      for (const rolling::Window& window : one.stored.windows) {
        add(Summed::kWindow, rolling::day_of_window(window.end_ms),
            hash_of(bytes_of(window, period.resolution)));
      }
      for (const std::uint32_t day : one.stored.histogram_days) {
        add(Summed::kHistogramDay, day, day);
      }
      for (const std::uint32_t day : days) ++sums[day].sources;
    }
    return Result<void>();
  };
  const auto read = each_rollup_page(store_, customer, period, say_, add_page);
  if (!read) return forward(read);
  return sums;
}

Result<std::map<std::uint32_t, DaySum>> StoreSums::exemplars(const CustomerId& customer,
                                                             TimestampMs from_ms) {
  std::map<std::uint32_t, DaySum> sums;
  if (store_.exemplars() == nullptr) return sums;
  auto visited = each_page(
      store_.catalog(), customer, store::kAllDays,
      [&](const SeriesPage& page) { return add_exemplars(customer, from_ms, page, sums); });
  if (!visited) return forward(visited);
  return sums;
}

Result<void> StoreSums::add_exemplars(const CustomerId& customer, TimestampMs from_ms,
                                      const SeriesPage& page,
                                      std::map<std::uint32_t, DaySum>& sums) {
  const store::ExemplarRange range{from_ms};
  std::vector<store::SeriesId> ids;
  for (const store::FoundSeries& series : page) ids.push_back(series.id);
  std::sort(ids.begin(), ids.end());
  const auto having = store_.exemplars()->having(customer, ids, range, unlimited_);
  if (!having) return forward(having);
  for (const store::FoundSeries& series : page) {
    if (!std::binary_search(having->begin(), having->end(), series.id)) continue;
    const std::uint64_t source = hash_of(store::encode_labels(series.labels));
    std::optional<std::uint32_t> day;  // they come by time
    const auto add = [&](const store::StoredExemplar& one) {
      const std::uint32_t own_day = store::day_of(one.sample.timestamp_ms);
      DaySum& sum = sums[own_day];
      if (day != own_day) ++sum.sources;
      day = own_day;
      ++sum.items;
      // Both in their order: a sum of the two is the same where a series has the other's labels.
      const std::uint64_t own = hash_of({source, hash_of(one.label_bytes), 0, 0});
      sum.checksum += hash_of({own, static_cast<std::uint64_t>(Summed::kExemplar),
                               static_cast<std::uint64_t>(one.sample.timestamp_ms),
                               std::bit_cast<std::uint64_t>(one.sample.value)});
      return true;
    };
    auto read = store_.exemplars()->read(customer, series.id, range, add, unlimited_);
    if (!read) return read;
  }
  return {};
}

Result<std::map<std::uint32_t, DaySum>> StoreSums::metadata(const CustomerId& customer) {
  std::map<std::uint32_t, DaySum> sums;
  if (store_.metadata() == nullptr) return sums;
  const auto add = [&](const store::MetricMetadata& metric) {
    DaySum& sum = sums[metric.day];
    ++sum.sources;
    ++sum.items;
    std::string text(1, static_cast<char>(metric.type));
    for (const std::string& part : {metric.metric, metric.unit, metric.help}) {
      append_sized(text, part);
    }
    sum.checksum += hash_of(text);
    return true;
  };
  if (auto read = store_.metadata()->read(customer, "", add, unlimited_); !read) {
    return forward(read);
  }
  return sums;
}

Result<DaySum> StoreSums::spans(const CustomerId& customer, std::uint32_t day) {
  DaySum sum;
  std::string trace_id;
  const auto add = [&](const store::EventView& span) {
    const std::string_view own = store::outline_of(span.item).trace_id;
    if (sum.items == 0 || own != trace_id) ++sum.sources;
    trace_id = own;
    ++sum.items;
    sum.checksum += hash_of(span);
    return true;
  };
  const auto read = store_.span_days()->read_day(customer, day, add, unlimited_);
  if (!read) return forward(read);
  return sum;
}

Result<DaySum> StoreSums::trace(const CustomerId& customer, std::string_view trace_id) {
  DaySum sum;
  const auto add = [&](const store::EventView& span) {
    sum.sources = 1;
    ++sum.items;
    sum.checksum += hash_of(span);
    return true;
  };
  const auto read = store_.events().read_trace(customer, trace_id, add, unlimited_);
  if (!read) return forward(read);
  return sum;
}

Result<DaySum> StoreSums::records(const CustomerId& customer, std::uint32_t day) {
  DaySum sum;
  const auto add = [&](const store::LogRecordView& record) {
    ++sum.items;
    sum.checksum += hash_of({hash_of(record.event), record.place.time_ns, 0, 0});
    return true;
  };
  if (auto read = each_record_of(store_.events(), customer, day, add); !read) return forward(read);
  return sum;
}

}  // namespace vigia::storage::keep
