// Puts flipped bits of table files right: a block's checksum tells which bit it was.
#pragma once

#include <cstddef>
#include <string>

namespace vigia::storage::store::rocksdb::kv {

/// Where one bit of a block is flipped, the block has its checksum again once that bit is turned
/// back, and (but for one in ten thousand damaged blocks) with no other bit. Looks through all
/// blocks of the table, properties among them, and changes the file. How many blocks are right
/// again; the first that is damaged otherwise, or has more than 64 KiB on disk, ends it. Up to two
/// seconds for each block: for files that nobody waits for.
std::size_t mend_flipped_bits(const std::string& path);

}  // namespace vigia::storage::store::rocksdb::kv
