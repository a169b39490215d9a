// Keys of an ordered store: big-endian numbers, so that byte order is number order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vigia::storage::store::rocksdb::kv {

void append_key_u32(std::string& key, std::uint32_t value);
void append_key_u64(std::string& key, std::uint64_t value);
/// Negative numbers before positive ones.
void append_key_i64(std::string& key, std::int64_t value);

/// Reads what the functions above wrote, from the front of `key`, and moves it on. 0 where too few
/// bytes are left; `ok` is then false.
std::uint32_t take_key_u32(std::string_view& key, bool& ok);
std::uint64_t take_key_u64(std::string_view& key, bool& ok);
std::int64_t take_key_i64(std::string_view& key, bool& ok);

/// The first key after all keys that begin with `prefix`; "" where there is none.
std::string after_prefix(std::string prefix);

}  // namespace vigia::storage::store::rocksdb::kv
