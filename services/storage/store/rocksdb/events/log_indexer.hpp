// Makes the rows by which the log records of a batch are found by stream: written with them, in one
// write.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/rocksdb/events/log_block.hpp"
#include "services/storage/store/rocksdb/events/name_rows.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb::events {

/// The stream of a resource, as the index knows it.
struct StreamTag {
  /// `seed`: NameRows. Throws protozero::exception on damaged bytes.
  StreamTag(std::string_view resource, std::uint64_t seed);
  bool is_indexed;     ///< false: of no stream (kStreamResourceBytesMax)
  std::string text;    ///< search_key::stream_text; "" where it is not listed: too long
  std::uint32_t code;  ///< log_block::code_of; that of no name where it is not listed
  std::uint64_t name;  ///< hash of the text with the seed
};

/// Of one customer. Thread contract: one thread.
class LogIndexer {
 public:
  /// `known` must outlive it.
  LogIndexer(customers::CustomerNumber customer, KnownNames& known)
      : customer_(customer), names_(known) {}

  /// A record that is written, by its key. The stream must stay until finish.
  void add(std::string_view key, const StreamTag& stream);
  /// The rows of all that was added. `repairs`: the store's.
  std::vector<kv::KeyValue> finish(std::uint64_t repairs);
  /// Once they are written.
  void note_written() { names_.note_written(); }

 private:
  struct Added {
    std::uint32_t day;
    std::uint32_t bucket;
    log_block::Entry entry;
    const StreamTag* stream;
  };

  struct Name {
    std::uint32_t day;
    const StreamTag* stream;
  };

  void add_name(std::uint32_t day, const StreamTag& stream);
  void add_blocks(std::size_t begin, std::size_t end, std::vector<kv::KeyValue>& rows) const;
  void add_block(std::size_t begin, std::size_t end, std::uint8_t shard,
                 std::vector<kv::KeyValue>& rows) const;

  const customers::CustomerNumber customer_;
  NameRows names_;
  std::vector<Name> streams_;  // one of each of names_
  std::vector<Added> added_;
};

}  // namespace vigia::storage::store::rocksdb::events
