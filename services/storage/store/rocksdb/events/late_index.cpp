#include "services/storage/store/rocksdb/events/late_index.hpp"

#include "libs/base/bytes.hpp"
#include "services/storage/store/rocksdb/events/event_key.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

// A batch ends when it passes either: so much is done between two looks at the limit.
constexpr std::size_t kBatchRows = 10'000;
constexpr std::size_t kBatchBytes = 8U << 20U;
constexpr std::size_t kTagsKept = 1'000;

}  // namespace

Result<bool> LateIndex::make(std::uint32_t day, const WorkLimit& limit) {
  auto progress = progress_of(day);
  if (!progress) return forward(progress);
  while (!progress->is_done) {
    if (auto gone = go_on(day, *progress); !gone) return forward(gone);
    if (!progress->is_done && limit.is_over()) return false;
  }
  return true;
}

// Its row: epoch u64, u8: 1 where all of the day is indexed, the last key.
Result<LateIndex::Progress> LateIndex::progress_of(std::uint32_t day) const {
  const auto row = store_.get(kv::Family::kSpans, search_key::progress(day, customer_));
  if (!row) return forward(row);
  Progress progress;
  if (!row->has_value()) return progress;
  ByteReader reader(**row);
  const std::uint64_t epoch = reader.read_u64();
  const bool is_done = reader.read_u8() != 0;
  if (reader.ok() && epoch == epoch_) progress = {is_done, std::string(reader.rest())};
  return progress;
}

Result<void> LateIndex::go_on(std::uint32_t day, Progress& progress) {
  const std::string prefix = event_key::prefix(day, customer_);
  // The least key behind the last one.
  const std::string from = progress.last.empty() ? prefix : progress.last + '\0';
  SpanIndexer indexer(customer_, names_);
  const auto scan = store_.scan(kv::Family::kSpans, from, kv::after_prefix(prefix));
  std::size_t rows = 0;
  std::size_t bytes = 0;
  progress.is_done = true;
  while (scan->next()) {
    const auto event = reader_.read(scan->value());
    const auto goes_on = event ? damaged_.visited([&] {
      indexer.add(scan->key(), event->item, tags_of(*event));
      return true;
    })
                               : damaged_.left_out(event.error());
    if (!goes_on) return forward(goes_on);
    progress.last = scan->key();
    bytes += scan->value().size();
    progress.is_done = ++rows < kBatchRows && bytes < kBatchBytes;
    if (!progress.is_done) break;
  }
  if (auto status = scan->status(); !status) return status;
  std::vector<kv::KeyValue> writes = indexer.finish(store_.repairs());
  kv::KeyValue note{kv::Family::kSpans, search_key::progress(day, customer_), ""};
  append_u64(note.value, epoch_);
  note.value += static_cast<char>(progress.is_done);
  note.value += progress.last;
  writes.push_back(std::move(note));
  if (auto put = store_.put(writes, kv::Durability::kLater); !put) return put;
  indexer.note_written();
  return {};
}

const std::shared_ptr<const OriginTags>& LateIndex::tags_of(const EventView& event) {
  if (tags_.size() > kTagsKept) tags_.clear();
  auto& tags = tags_[{search_key::hash_of(event.resource), search_key::hash_of(event.scope)}];
  if (tags == nullptr) tags = std::make_shared<const OriginTags>(event.resource, event.scope);
  return tags;
}

}  // namespace vigia::storage::store::rocksdb::events
