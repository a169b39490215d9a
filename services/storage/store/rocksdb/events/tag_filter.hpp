// Which tags spans may have, in eight bits a tag: says "no" only where it is so.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vigia::storage::store::rocksdb::events {

/// Hashes of tags, up to a bound beyond which it only knows that there are more.
class TagHashes {
 public:
  explicit TagHashes(std::size_t tags_max) : tags_max_(tags_max) {}
  /// False once there are too many.
  bool add(std::uint64_t tag);
  void add_all(const TagHashes& others);
  bool are_too_many() const { return are_too_many_; }
  void clear();
  /// Sorts them, each once.
  const std::vector<std::uint64_t>& sorted();

 private:
  std::size_t tags_max_;
  std::vector<std::uint64_t> tags_;
  std::size_t sorted_ = 0;  // so many at the beginning are in order, each once
  bool are_too_many_ = false;
};

std::uint64_t hash_tag(std::string_view key, std::string_view value);

/// Appends the filter with its length before it. Of too many tags, and where it would be longer
/// than `bytes_max`: one that lets all pass.
void append_filter(std::string& out, TagHashes& tags, std::size_t bytes_max);
/// Of tags that stand there once each.
void append_filter(std::string& out, const std::vector<std::uint64_t>& tags, bool are_too_many,
                   std::size_t bytes_max);

/// The bytes of a filter; `all` where it lets all pass.
struct TagFilter {
  std::string_view bytes;
  bool all = false;
  bool may_have(std::uint64_t tag) const;
};

}  // namespace vigia::storage::store::rocksdb::events
