#include "services/storage/store/rocksdb/rocksdb_contents.hpp"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "libs/base/bytes.hpp"
#include "libs/chunk/chunk_reader.hpp"
#include "libs/chunk/packed_chunk.hpp"
#include "services/storage/histograms/histogram_reader.hpp"
#include "services/storage/store/chunks.hpp"
#include "services/storage/store/histogram_encoding.hpp"
#include "services/storage/store/label_bytes.hpp"
#include "services/storage/store/rocksdb/index/index_format.hpp"
#include "services/storage/store/rocksdb/index/index_key.hpp"
#include "services/storage/store/rocksdb/index/label_codec.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/read_only_store.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_options.hpp"
#include "services/storage/store/rocksdb/row_owner.hpp"

namespace vigia::storage::store::rocksdb {
namespace {

using customers::CustomerNumber;
using instance::FolderSums;
using instance::RawQuery;
using instance::RawRow;

constexpr std::uint64_t kProgressRows = 100'000;
constexpr std::uint8_t kAsItIs = 1;
constexpr std::uint8_t kPacked = 2;

// Of the index rows that are kept for series without a copy of their labels, all customers
// together.
constexpr std::size_t kWalkedBytesMax = 256U << 20U;
constexpr std::size_t kWalkedRowBytes = 64;  // of a node of the map, beside the row
constexpr std::size_t kIdBytes = sizeof(std::uint64_t);

// The index rows of a customer's series.
struct WalkedSeries {
  std::unordered_map<std::uint64_t, std::string> rows;  // by the series' number
  bool is_whole = true;                                 // false: there was no room for the others
  Result<void> read;                                    // damage that the others may lie behind
};

// Where a row of raw samples lies.
struct RowPlace {
  std::uint32_t day = 0;
  CustomerNumber customer;
  SeriesId series;
  TimestampMs first_ms = 0;
  std::uint64_t version = 0;
  Encoding encoding = Encoding::kFloats;
};

std::optional<RowPlace> place_of(std::string_view key) {
  RowPlace place;
  bool ok = true;
  place.day = kv::take_key_u32(key, ok);
  place.customer.value = kv::take_key_u32(key, ok);
  place.series.value = kv::take_key_u64(key, ok);
  place.first_ms = kv::take_key_i64(key, ok);
  place.version = kv::take_key_u64(key, ok);
  if (!ok || key.size() != 1) return std::nullopt;
  place.encoding = static_cast<Encoding>(static_cast<std::uint8_t>(key.front()));
  return place;
}

std::string before_customer(std::uint32_t day, CustomerNumber customer) {
  std::string key;
  kv::append_key_u32(key, day);
  kv::append_key_u32(key, customer.value);
  return key;
}

// By the page of the format, not by what answers readers.
Result<RawRow> row_of(const RowPlace& place, std::string_view value) {
  RawRow row{place.customer, place.series, place.version, {}, {}};
  ByteReader reader(value);
  const std::uint8_t version = reader.read_u8();
  (void)reader.read_varint();  // to its last sample
  if (!reader.ok()) return fail(ErrorCode::kCorrupt, "its value is cut");
  if (holds_histograms(place.encoding) && version == kAsItIs) {
    auto histograms =
        place.encoding == Encoding::kHistograms
            ? chunk::read_histograms(reader.rest())
            : histograms::unpack_histograms(place.encoding == kFloatHistograms, reader.rest());
    if (!histograms) return forward(histograms);
    row.histograms = *std::move(histograms);
    return row;
  }
  if (place.encoding != Encoding::kFloats || (version != kAsItIs && version != kPacked)) {
    return fail(ErrorCode::kCorrupt, fmt::format("its encoding {} or version {} is not known",
                                                 static_cast<unsigned>(place.encoding), version));
  }
  auto samples = version == kPacked ? chunk::unpack_samples(reader.rest(), place.first_ms)
                                    : chunk::read_samples(reader.rest());
  if (!samples) return forward(samples);
  row.samples = *std::move(samples);
  return row;
}

void add_row(instance::RowSum& sum, const kv::Scan& scan, const RowOwner& owner) {
  ++sum.rows;
  sum.bytes += scan.key().size() + scan.value().size();
  if (owner.day.has_value()) sum.days = joined(sum.days, {*owner.day, *owner.day});
}

class RocksDbContents final : public instance::FolderContents {
 public:
  explicit RocksDbContents(std::unique_ptr<kv::ReadOnlyStore> store) : store_(std::move(store)) {}

  Result<void> load() {
    if (auto checked = check_format(); !checked) return checked;
    const std::string prefix = index::index_key::customers();
    const auto scan = store_->scan(kv::Family::kIndex, prefix, kv::after_prefix(prefix));
    while (scan->next()) {
      const auto id = CustomerId::parse(scan->key().substr(prefix.size()));
      ByteReader reader(scan->value());
      const std::uint64_t number = reader.read_u64();
      const bool is_provider = scan->key().substr(prefix.size()) == CustomerId::provider().text();
      if (!reader.ok() || number > UINT32_MAX || (!id && !is_provider)) continue;
      customers_.emplace(static_cast<std::uint32_t>(number), id ? *id : CustomerId::provider());
    }
    return scan->status();
  }

  const std::map<std::uint32_t, CustomerId>& customers() const override { return customers_; }

  Result<FolderSums> sums(const Progress& progress) override {
    FolderSums sums;
    sums.format = format_;
    sums.unread = store_->log_damage();
    for (std::size_t i = 0; i < kv::kFamilies; ++i) {
      const auto scan = store_->scan(static_cast<kv::Family>(i), "", "");
      const std::string name = kv::kFamilyNames.at(i);
      for (std::uint64_t rows = 0; scan->next(); ++rows) {
        if (rows % kProgressRows == 0) progress(name, rows);
        add(sums, static_cast<kv::Family>(i), *scan);
      }
      if (auto read = scan->status(); !read) {
        sums.unread.push_back(fmt::format("{}: {}", name, read.error().message));
      }
    }
    return sums;
  }

  Result<void> raw(const RawQuery& query, const RawVisit& visit, const BadRow& bad_row) override {
    for (const std::string& damage : store_->log_damage()) bad_row(damage);
    const TimestampMs from_ms = std::max<TimestampMs>(query.from_ms - kChunkSpanMs, 0);
    const std::uint32_t last_day = day_of(query.to_ms);
    const auto scan = store_->scan(kv::Family::kChunks, before_customer(day_of(from_ms), {}), "");
    while (scan->next()) {
      const auto place = place_of(scan->key());
      if (!place.has_value()) {
        bad_row("chunks: a key that is none");
        continue;
      }
      if (place->day > last_day) break;
      if (query.customer.has_value() && place->customer != *query.customer) {
        if (place->customer > *query.customer && place->day == UINT32_MAX) break;
        const bool is_behind = place->customer > *query.customer;
        scan->seek(before_customer(is_behind ? place->day + 1 : place->day, *query.customer));
        continue;
      }
      const auto row = row_of(*place, scan->value());
      if (!row) {
        bad_row(fmt::format("chunks: a row of customer {}, series {}, from {} ms: {}",
                            place->customer.value, place->series.value, place->first_ms,
                            row.error().message));
        continue;
      }
      if (auto visited = visit(*row); !visited) return visited;
    }
    const auto read = scan->status();
    if (read || read.error().code != ErrorCode::kCorrupt) return read;
    bad_row(fmt::format("chunks: {}; rows behind it are not told", read.error().message));
    return {};
  }

  Result<std::optional<Labels>> labels_of(CustomerNumber customer, SeriesId series) override {
    // By the copies, which lie by number; a folder of an older version has none.
    auto copy = store_->get(kv::Family::kIdentity, index::index_key::copy(customer, series));
    if (!copy) return forward(copy);
    if (!copy->has_value()) return labels_by_walk(customer, series);
    return decoded(**copy);
  }

 private:
  // Of the two copies that there are. Rows of a later version may look like known ones and be
  // others.
  Result<void> check_format() {
    format_ = "none that is told";
    for (const kv::Family family : {kv::Family::kIdentity, kv::Family::kIndex}) {
      auto format = store_->get(family, index::index_key::kFormat);
      if (!format) return forward(format);
      if (!format->has_value()) continue;
      format_ = **std::move(format);
      if (index::is_known_format(format_)) continue;
      return fail(ErrorCode::kInvalid,
                  fmt::format("its format is \"{}\", known is \"{}\": a later version wrote it",
                              format_, index::kFormatVersion));
    }
    return {};
  }

  void add(FolderSums& sums, kv::Family family, const kv::Scan& scan) {
    const auto owner = owner_of(family, scan.key());
    if (!owner.has_value()) {
      ++sums.strange;
      return;
    }
    auto& kinds = owner->customer.value == 0 ? sums.shared : sums.customers[owner->customer.value];
    add_row(kinds[std::string(owner->kind)], scan, *owner);
  }

  // Of a series without a copy: from the index rows of all series of its customer, read once. A
  // walk goes by day, then by customer, so all customers' rows are kept as far as there is room.
  Result<std::optional<Labels>> labels_by_walk(CustomerNumber customer, SeriesId series) {
    auto at = walked_.find(customer.value);
    if (at == walked_.end()) {
      auto walked = walk_series(customer);
      if (walked && !walked->is_whole && !walked_.empty()) {
        walked_.clear();
        walked_bytes_ = 0;
        walked = walk_series(customer);
      }
      if (!walked) return forward(walked);
      at = walked_.emplace(customer.value, *std::move(walked)).first;
    }
    const auto found = at->second.rows.find(series.value);
    if (found != at->second.rows.end()) return decoded(found->second);
    if (!at->second.read) return forward(at->second.read);
    if (at->second.is_whole) return std::optional<Labels>();
    return labels_by_search(customer, series);
  }

  Result<WalkedSeries> walk_series(CustomerNumber customer) {
    WalkedSeries walked;
    const std::string prefix = index::index_key::all_series(customer);
    const auto scan = store_->scan(kv::Family::kIndex, prefix, kv::after_prefix(prefix));
    while (scan->next()) {
      if (scan->key().size() < prefix.size() + kIdBytes) continue;
      std::string_view ending = scan->key().substr(scan->key().size() - kIdBytes);
      bool is_id = true;
      const std::uint64_t id = kv::take_key_u64(ending, is_id);
      walked_bytes_ += kWalkedRowBytes + scan->value().size();
      walked.is_whole = walked_bytes_ <= kWalkedBytesMax;
      if (!walked.is_whole) break;
      walked.rows.emplace(id, scan->value());
    }
    walked.read = scan->status();
    if (!walked.read && walked.read.error().code != ErrorCode::kCorrupt) {
      return forward(walked.read);
    }
    return walked;
  }

  // Past the bound of memory: through all series of the customer, for each that is asked for.
  Result<std::optional<Labels>> labels_by_search(CustomerNumber customer, SeriesId series) {
    const std::string prefix = index::index_key::all_series(customer);
    const auto scan = store_->scan(kv::Family::kIndex, prefix, kv::after_prefix(prefix));
    std::string ending;
    kv::append_key_u64(ending, series.value);
    while (scan->next()) {
      if (scan->key().ends_with(ending)) return decoded(scan->value());
    }
    if (auto read = scan->status(); !read) return forward(read);
    return std::optional<Labels>();
  }

  static Result<std::optional<Labels>> decoded(std::string_view row) {
    const auto views = index::decode_label_views(row);
    if (!views) return forward(views);
    return std::optional<Labels>(to_labels(*views));
  }

  std::unique_ptr<kv::ReadOnlyStore> store_;
  std::string format_;
  std::map<std::uint32_t, CustomerId> customers_;
  std::map<std::uint32_t, WalkedSeries> walked_;  // by customer
  std::size_t walked_bytes_ = 0;                  // of all of them, about
};

}  // namespace

Result<std::unique_ptr<instance::FolderContents>> open_contents(const std::string& directory) {
  auto store = kv::open_read_only(directory);
  if (!store) return forward(store);
  auto contents = std::make_unique<RocksDbContents>(*std::move(store));
  if (auto loaded = contents->load(); !loaded) return forward(loaded);
  return contents;
}

}  // namespace vigia::storage::store::rocksdb
