// Log records counted by their stream and severity, and by windows of time.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "services/storage/api/answer_body.hpp"
#include "services/storage/api/log_query.hpp"
#include "services/storage/api/log_record.hpp"
#include "services/storage/api/looked_at.hpp"
#include "services/storage/store/log_streams.hpp"

namespace vigia::storage::api {

/// (origin + (k - 1) × width, origin + k × width] has the number k.
struct CountWindows {
  store::TimestampNs origin_ns = 0;
  std::uint64_t width_ns = 1;  ///< not 0
};

/// How records are to be counted.
struct CountWish {
  std::size_t streams_max = 0;
  std::optional<CountWindows> windows;  ///< nothing: of all times together
  /// Labels that no record may have but from its stream: names as LogQL has them. Where some record
  /// says one, its resource tells a stream otherwise than by plain texts, it is too much work for
  /// the line filters, or its text is too large to be made, its counts would be untrue, and the
  /// answer is that there are none.
  std::optional<std::vector<std::string>> unless;
};

/// Thread contract: one thread.
class StreamCounts {
 public:
  /// All must outlive it. The request's own limit, direction and place are not looked at.
  StreamCounts(const LogRequest& request, const CountWish& wish, const store::WorkLimit& limit,
               lanes::AnswerMemory& memory);

  /// A LogVisit: false, and the record is not counted, where there are more streams, or windows of
  /// them, than fit, where it cannot be counted, and on an error.
  bool add(const store::LogRecordView& record);
  bool is_full() const { return is_full_; }
  bool is_countable() const { return is_countable_; }
  const Result<void>& error() const { return error_; }
  LookedAt& looked_at() { return looked_at_; }

  /// {"service_name":"…","node_id":"…","environment":"…","severity":"…","records":2,"bytes":70,
  /// "windows":[[k,records,bytes],…]}: an item a stream.
  Result<void> write(AnswerBody& body) const;

 private:
  struct Stream {
    store::LogStream labels;
    std::string severity;
    auto operator<=>(const Stream&) const = default;
  };
  struct Counts {
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    void add(std::size_t text_bytes) {
      ++records;
      bytes += text_bytes;
    }
  };
  struct Window {
    std::uint64_t number;
    Counts counts;
  };
  struct Entry {
    Counts counts;
    std::vector<Window> windows;  ///< in the walk's order
  };
  using Known = std::pair<std::size_t, std::size_t>;
  struct KnownHash {
    std::size_t operator()(const Known& known) const { return known.first ^ known.second * 31; }
  };

  bool end(const Error& error);
  Result<bool> take(const store::LogRecordView& record, const RecordParts& parts);
  Result<bool> count_unread(const store::LogRecordView& record, const RecordParts& parts);
  /// `is_known`: that it passes, and how long it is.
  Result<bool> count(const store::LogRecordView& record, const RecordParts& parts,
                     std::size_t bytes, bool is_known);
  /// Null: there are more streams than are counted.
  Result<Entry*> entry_of(std::string_view resource, std::string_view severity);
  Result<bool> add_to_window(Entry& entry, store::TimestampNs time_ns, std::size_t text_bytes);
  bool says_named(std::string_view message, std::uint32_t attributes) const;
  bool is_plain(std::string_view resource) const;

  const LogRequest& request_;
  const CountWish& wish_;
  lanes::AnswerMemory& memory_;
  RecordSelector selector_;
  LookedAt looked_at_;
  std::string made_text_;
  std::map<Stream, Entry> streams_;
  std::size_t windows_ = 0;  // of all
  // By hashes of resource and severity: two that have one hash are the same customer's.
  std::unordered_map<Known, Entry*, KnownHash> known_;
  bool is_full_ = false;
  bool is_countable_ = true;
  Result<void> error_;
};

}  // namespace vigia::storage::api
