#include "libs/wire/remote_write/snappy_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

namespace vigia::wire::remote_write {
namespace {

// Copied at once, where what stands behind may be overwritten.
constexpr std::size_t kChunk = 16;
// The buffer goes on so far behind what is counted.
constexpr std::size_t kSlack = 64;

struct Element {
  std::size_t bytes = 0;  // that it yields
  std::size_t back = 0;   // 0: a literal, which follows
};

std::size_t little_endian(std::string_view bytes) {
  std::size_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    value = value << 8U | static_cast<unsigned char>(bytes[i]);
  return value;
}

/// Takes an element's head off. False where it is cut off.
bool take_head(std::string_view& elements, Element& element) {
  const std::size_t tag = static_cast<unsigned char>(elements.front());
  const std::size_t high = tag >> 2U;
  // Of a literal the tag may say how many bytes its length has, and a copy has its distance there.
  constexpr std::size_t kShort = 60;
  const std::array<std::size_t, 4> more = {high < kShort ? 0 : high - kShort + 1, 1, 2, 4};
  const std::size_t kind = tag & 3U;
  if (elements.size() < 1 + more[kind]) return false;
  const std::size_t number = little_endian(elements.substr(1, more[kind]));
  elements.remove_prefix(1 + more[kind]);
  switch (kind) {
    case 0:
      element = {(high < kShort ? high : number) + 1, 0};
      break;
    case 1:
      element = {(high & 7U) + 4, (tag >> 5U) << 8U | number};
      break;
    default:
      element = {high + 1, number};
  }
  return kind == 0 || element.back != 0;
}

/// Takes the message's length off. False where there is none.
bool take_length(std::string_view& block, std::size_t& length) {
  constexpr std::size_t kBytesMax = 5;
  length = 0;
  for (std::size_t i = 0; i < std::min(block.size(), kBytesMax); ++i) {
    const std::size_t byte = static_cast<unsigned char>(block[i]);
    length |= (byte & 0x7fU) << (7 * i);
    if (byte < 0x80) {
      block.remove_prefix(i + 1);
      return length <= UINT32_MAX;
    }
  }
  return false;
}

}  // namespace

struct SnappyReader::Shape {
  std::size_t bytes = 0;  // of the message
  std::size_t reach = 0;  // of the copy that goes back furthest

  /// False where the block is damaged.
  bool read(std::string_view elements) {
    std::size_t made = 0;
    Element element;
    while (!elements.empty()) {
      if (!take_head(elements, element) || element.bytes > bytes - made || element.back > made)
        return false;
      made += element.bytes;
      reach = std::max(reach, element.back);
      if (element.back != 0) continue;
      if (element.bytes > elements.size()) return false;
      elements.remove_prefix(element.bytes);
    }
    return made == bytes;
  }
};

Result<SnappyReader> SnappyReader::open(std::string_view block, std::size_t piece_bytes,
                                        Holds& holds) {
  Shape shape;
  if (!take_length(block, shape.bytes))
    return fail(ErrorCode::kInvalid, "remote write: the body is not a snappy block");
  if (!shape.read(block))
    return fail(ErrorCode::kInvalid, "remote write: the snappy block is damaged");
  return SnappyReader(block, shape, piece_bytes, holds);
}

SnappyReader::SnappyReader(std::string_view elements, const Shape& shape, std::size_t piece_bytes,
                           Holds& holds)
    : elements_(elements),
      unread_(elements),
      message_bytes_(shape.bytes),
      left_(shape.bytes),
      piece_bytes_(piece_bytes),
      reach_(shape.reach),
      capacity_(std::min(shape.bytes, shape.reach + piece_bytes)),
      holds_(&holds),
      // Not written to: a page is there once something is unpacked into it.
      buffer_(std::make_unique_for_overwrite<char[]>(capacity_ + kSlack)) {}

SnappyReader::SnappyReader(SnappyReader&& other) noexcept
    : elements_(other.elements_),
      unread_(other.unread_),
      message_bytes_(other.message_bytes_),
      left_(other.left_),
      piece_bytes_(other.piece_bytes_),
      reach_(other.reach_),
      capacity_(other.capacity_),
      holds_(other.holds_),
      held_(std::exchange(other.held_, 0)),
      buffer_(std::move(other.buffer_)),
      at_(other.at_),
      end_(other.end_),
      element_bytes_(other.element_bytes_),
      element_back_(other.element_back_) {}

SnappyReader::~SnappyReader() { holds_->remove(held_); }

void SnappyReader::pass(std::size_t bytes) {
  while (bytes > 0) {
    const std::size_t some = std::min(bytes, ahead(1).size());
    at_ += some;
    left_ -= some;
    bytes -= some;
  }
}

void SnappyReader::rewind() {
  unread_ = elements_;
  left_ = message_bytes_;
  at_ = end_ = 0;
  element_bytes_ = 0;
}

void SnappyReader::fill(std::size_t bytes) {
  bytes = std::min(bytes, left_);
  if (capacity_ - at_ < bytes) forget();
  const std::size_t until =
      std::min({capacity_, at_ + left_, std::max(at_ + bytes, end_ + piece_bytes_)});
  if (until > held_) {
    holds_->add(until - held_);
    held_ = until;
  }
  unpack(until);
}

/// What was passed, but for what a copy may reach.
void SnappyReader::forget() {
  const std::size_t begin = std::min(at_, end_ - std::min(end_, reach_));
  std::memmove(buffer_.get(), buffer_.get() + begin, end_ - begin);
  at_ -= begin;
  end_ -= begin;
}

// The block was gone over: its elements are whole, and yield what was said.
void SnappyReader::unpack(std::size_t until) {
  while (end_ < until) {
    if (element_bytes_ == 0) {
      Element element;
      take_head(unread_, element);
      element_bytes_ = element.bytes;
      element_back_ = element.back;
    }
    const std::size_t bytes = std::min(element_bytes_, until - end_);
    if (element_back_ == 0) {
      if (bytes <= kChunk && unread_.size() >= kChunk)
        std::memcpy(buffer_.get() + end_, unread_.data(), kChunk);
      else
        std::memcpy(buffer_.get() + end_, unread_.data(), bytes);
      unread_.remove_prefix(bytes);
    } else {
      copy_back(bytes);
    }
    end_ += bytes;
    element_bytes_ -= bytes;
  }
}

/// At most 64 bytes.
void SnappyReader::copy_back(std::size_t bytes) {
  char* to = buffer_.get() + end_;
  std::size_t back = element_back_;
  std::size_t done = 0;
  if (back < kChunk) {
    // It repeats itself: once byte by byte, until as many lie behind as are copied at once.
    const std::size_t whole = (kChunk + back - 1) / back * back;
    for (; done < std::min(whole, bytes); ++done) to[done] = *(to + done - back);
    back = whole;
  }
  for (; done < bytes; done += kChunk) std::memcpy(to + done, to + done - back, kChunk);
}

}  // namespace vigia::wire::remote_write
