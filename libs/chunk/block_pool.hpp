// Blocks of one size for the bytes of many open chunks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace vigia::chunk {

/// Millions of chunks grow a few bytes at a time, each at its own pace: as strings they are copied
/// and leave behind holes of every size. Here whatever one gives back fits the next. A page of
/// blocks that are all free goes back to the heap. Thread contract: one thread at a time.
class BlockPool {
 public:
  using Number = std::uint32_t;
  static constexpr Number kNone = UINT32_MAX;

  /// 64 bytes, as a cache line.
  struct Block {
    Number next = kNone;
    std::array<std::uint8_t, 60> bytes;  // what is in it is its owner's: not set
  };

  /// The next take does not throw. Throws for lack of memory: then nothing has changed.
  void make_room();
  /// A block without a next one. REQUIRES: make_room since the last take.
  Number take();
  void give_back(Number number);

  /// Until it is given back.
  Block& at(Number number) { return pages_[number / kPageBlocks].blocks[number % kPageBlocks]; }
  const Block& at(Number number) const {
    return pages_[number / kPageBlocks].blocks[number % kPageBlocks];
  }
  /// With what is free in its pages.
  std::size_t memory_bytes() const;

 private:
  static constexpr Number kPageBlocks = 64;
  struct Page {
    std::unique_ptr<Block[]> blocks;  // null: its number waits for other blocks
    Number first_free = kNone;        // a list through Block::next
    Number taken = 0;
    Number previous = kNone;  // in the list of pages that have room; of those without blocks in
    Number next = kNone;      // another
  };
  void link(Number page);
  void unlink(Number page);

  std::vector<Page> pages_;
  std::size_t held_pages_ = 0;
  Number with_room_ = kNone;
  Number without_blocks_ = kNone;
};

}  // namespace vigia::chunk
