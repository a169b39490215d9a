#include "services/storage/store/rocksdb/kv/rocksdb_scan.hpp"

#include <optional>
#include <string>
#include <utility>

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include "services/storage/store/rocksdb/kv/store_folder.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

std::string_view view(const ::rocksdb::Slice& text) { return {text.data(), text.size()}; }

class RocksDbScan final : public Scan {
 public:
  RocksDbScan(std::shared_ptr<Opened> opened, DamageQueue& damage, const ScanRange& range)
      : opened_(std::move(opened)),
        damage_(damage),
        is_backward_(range.is_backward),
        from_(range.from),
        to_(range.to),
        from_slice_(from_),
        to_slice_(to_) {
    ::rocksdb::ReadOptions options;
    if (!to_.empty()) options.iterate_upper_bound = &to_slice_;
    // A walk forwards begins at its lower bound and needs none.
    if (is_backward_) options.iterate_lower_bound = &from_slice_;
    iterator_.reset(opened_->db->NewIterator(options, opened_->handle(range.family)));
  }

  bool next() override {
    if (opened_->is_ending) return false;
    if (seek_.has_value()) {
      is_backward_ ? iterator_->SeekForPrev(*seek_) : iterator_->Seek(*seek_);
      seek_.reset();
    } else if (std::exchange(is_begun_, true)) {
      is_backward_ ? iterator_->Prev() : iterator_->Next();
    } else {
      // The last key of the range: RocksDB heeds the upper bound here.
      is_backward_ ? iterator_->SeekToLast() : iterator_->Seek(from_slice_);
    }
    is_begun_ = true;
    return iterator_->Valid();
  }
  void seek(std::string_view key) override { seek_ = std::string(key); }
  std::string_view key() const override { return view(iterator_->key()); }
  std::string_view value() const override { return view(iterator_->value()); }
  Result<void> status() const override {
    if (opened_->is_ending) return mending();
    const ::rocksdb::Status status = iterator_->status();
    if (!status.ok()) return failure(damage_, status);
    return {};
  }

 private:
  std::shared_ptr<Opened> opened_;
  DamageQueue& damage_;
  bool is_backward_;
  bool is_begun_ = false;
  // RocksDB keeps pointers to the slices, and those to the texts: all must outlive the iterator,
  // which is therefore declared last.
  std::string from_;
  std::string to_;
  ::rocksdb::Slice from_slice_;
  ::rocksdb::Slice to_slice_;
  std::optional<std::string> seek_;
  std::unique_ptr<::rocksdb::Iterator> iterator_;
};

// A walk over a store that is not open now.
class NoScan final : public Scan {
 public:
  bool next() override { return false; }
  void seek(std::string_view /*key*/) override {}
  std::string_view key() const override { return {}; }
  std::string_view value() const override { return {}; }
  Result<void> status() const override { return mending(); }
};

}  // namespace

Opened::Opened(::rocksdb::DB* raw, std::vector<::rocksdb::ColumnFamilyHandle*> families)
    : db(raw), handles(std::move(families)) {}

Opened::~Opened() {
  // Handles first: RocksDB does not close a database with handles open.
  for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
  db->Close().PermitUncheckedError();
}

tl::unexpected<Error> mending() {
  return fail(ErrorCode::kUnavailable,
              "cold store: a damaged file is being set aside, try again in a moment");
}

tl::unexpected<Error> failure(DamageQueue& damage, const ::rocksdb::Status& status) {
  const std::string text = status.ToString();
  if (!status.IsCorruption()) return fail(ErrorCode::kUnavailable, "cold store: " + text);
  // Damage that will be mended is a matter of waiting to the caller, who then tries again; one that
  // is given up must not be tried for ever.
  if (damage.add(table_in(text), text)) return mending();
  return fail(ErrorCode::kCorrupt, "cold store: " + text);
}

std::unique_ptr<Scan> make_scan(std::shared_ptr<Opened> opened, DamageQueue& damage,
                                const ScanRange& range) {
  if (opened == nullptr) return std::make_unique<NoScan>();
  return std::make_unique<RocksDbScan>(std::move(opened), damage, range);
}

}  // namespace vigia::storage::store::rocksdb::kv
