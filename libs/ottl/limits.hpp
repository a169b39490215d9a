// What a text may ask for, and what running one may make.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vigia::ottl {

/// Bytes of one statement or condition.
inline constexpr std::size_t kTextBytesMax = 64U << 10U;
/// Nesting of parentheses, calls, lists and keys: one level is some 8 stack frames of the parser.
inline constexpr std::size_t kDepthMax = 64;
/// Arguments of a call, elements of a list, keys of a path.
inline constexpr std::size_t kPartsMax = 1024;

/// One message after a change. What the door takes of one item at most.
inline constexpr std::size_t kMessageBytesMax = 4U << 20U;
/// What the functions of one statement may make for one item, all together.
inline constexpr std::size_t kMadeBytesMax = 8U << 20U;
/// What ParseJSON and ParseKeyValue read: they take some 16 times of it for as long.
inline constexpr std::size_t kParsedBytesMax = 256U << 10U;
/// Entries of a map that is flattened, or compared with another: each takes a hundred bytes.
inline constexpr std::size_t kEntriesMax = 65'536;
/// What it counts as to look at one attribute for its key, which is not next to the last one in
/// memory: one that is set is looked for among all of a record.
inline constexpr std::uint64_t kKeyWork = 64;
/// An index that is written into an empty value makes a list of so many at most.
inline constexpr std::int64_t kListMadeMax = 1024;
/// What all replacements of one call look at: many matches in a long text cost their product.
inline constexpr std::size_t kReplaceWorkBytesMax = 64U << 20U;
/// What one access to a field, or one regex, may look at in all items of a request together: some
/// million items of half a KiB. A resource is looked at again for each of its items.
inline constexpr std::uint64_t kWorkBytesMax = 512ULL << 20U;

}  // namespace vigia::ottl
