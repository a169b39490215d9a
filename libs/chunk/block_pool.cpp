#include "libs/chunk/block_pool.hpp"

#include "libs/base/check.hpp"

namespace vigia::chunk {

static_assert(sizeof(BlockPool::Block) == 64);

void BlockPool::make_room() {
  // Apart from take, which must not throw: whoever appends makes room first, then changes things.
  if (with_room_ != kNone) return;
  auto blocks = std::make_unique_for_overwrite<Block[]>(kPageBlocks);
  Number page = without_blocks_;
  if (page == kNone) {
    page = static_cast<Number>(pages_.size());
    CHECK(page < kNone / kPageBlocks);
    pages_.emplace_back();
  } else {
    without_blocks_ = pages_[page].next;
  }
  for (Number i = 0; i < kPageBlocks; ++i) {
    blocks[i].next = i + 1 < kPageBlocks ? page * kPageBlocks + i + 1 : kNone;
  }
  pages_[page].blocks = std::move(blocks);
  pages_[page].first_free = page * kPageBlocks;
  ++held_pages_;
  link(page);
}

BlockPool::Number BlockPool::take() {
  CHECK(with_room_ != kNone);
  Page& page = pages_[with_room_];
  const Number number = page.first_free;
  Block& block = at(number);
  page.first_free = block.next;
  block.next = kNone;
  ++page.taken;
  if (page.first_free == kNone) unlink(with_room_);
  return number;
}

// The last page with room stays: else one chunk that begins and ends would make a page each time.
void BlockPool::give_back(Number number) {
  const Number at_page = number / kPageBlocks;
  Page& page = pages_[at_page];
  CHECK(page.taken > 0);
  if (page.first_free == kNone) link(at_page);
  at(number).next = page.first_free;
  page.first_free = number;
  --page.taken;
  const bool is_only = with_room_ == at_page && page.next == kNone;
  if (page.taken > 0 || is_only) return;
  unlink(at_page);
  page = Page{};
  page.next = without_blocks_;
  without_blocks_ = at_page;
  --held_pages_;
}

void BlockPool::link(Number page) {
  pages_[page].previous = kNone;
  pages_[page].next = with_room_;
  if (with_room_ != kNone) pages_[with_room_].previous = page;
  with_room_ = page;
}

void BlockPool::unlink(Number page) {
  const Page& gone = pages_[page];
  if (gone.previous != kNone) pages_[gone.previous].next = gone.next;
  if (gone.next != kNone) pages_[gone.next].previous = gone.previous;
  if (with_room_ == page) with_room_ = gone.next;
}

std::size_t BlockPool::memory_bytes() const {
  return held_pages_ * kPageBlocks * sizeof(Block) + pages_.capacity() * sizeof(Page);
}

}  // namespace vigia::chunk
