#include "services/storage/store/rocksdb/events/log_rows.hpp"

#include "services/storage/store/rocksdb/events/event_key.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

// Where rows of the time begin, which has no row itself.
std::string begin_of(const std::string& prefix, TimestampNs time_ns) {
  std::string key = prefix;
  kv::append_key_u64(key, time_ns);
  return key;
}

std::string end_of(const std::string& prefix, TimestampNs time_ns) {
  return time_ns == UINT64_MAX ? kv::after_prefix(prefix) : begin_of(prefix, time_ns + 1);
}

}  // namespace

LogRows::LogRows(kv::OrderedStore& store, customers::CustomerNumber customer, const LogDay& of)
    : prefix_(event_key::prefix(of.day, customer)), is_backward_(of.is_backward) {
  const std::string from = begin_of(prefix_, of.from_ns);
  const std::string to = end_of(prefix_, of.to_ns);
  scan_ = is_backward_ ? store.scan_back(kv::Family::kLogs, from, to)
                       : store.scan(kv::Family::kLogs, from, to);
}

bool LogRows::move_to(TimestampNs time_ns) {
  // Between the row before and this one there are none: most often it is the one that is wanted.
  if (has_row_ && (is_backward_ ? time_ns_ <= time_ns : time_ns_ >= time_ns)) return true;
  scan_->seek(is_backward_ ? end_of(prefix_, time_ns) : begin_of(prefix_, time_ns));
  return next();
}

bool LogRows::next() {
  has_row_ = false;
  while (!has_row_ && scan_->next()) {
    std::string_view rest = scan_->key().substr(prefix_.size());
    has_row_ = true;  // but where it is no key of a record
    time_ns_ = kv::take_key_u64(rest, has_row_);
  }
  return has_row_;
}

}  // namespace vigia::storage::store::rocksdb::events
