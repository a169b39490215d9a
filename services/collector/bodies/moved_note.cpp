#include "services/collector/bodies/moved_note.hpp"

#include "libs/base/bytes.hpp"

namespace vigia::collector::bodies {
namespace {

constexpr std::string_view kMark{"\0tail", 5};

}  // namespace

std::string moved_note(std::uint64_t sequence) {
  std::string note(kMark);
  append_varint(note, sequence);
  return note;
}

std::optional<std::uint64_t> moved_sequence(std::string_view note) {
  if (!note.starts_with(kMark)) return std::nullopt;
  ByteReader reader(note.substr(kMark.size()));
  const std::uint64_t sequence = reader.read_varint();
  if (!reader.ok() || !reader.rest().empty()) return std::nullopt;
  return sequence;
}

}  // namespace vigia::collector::bodies
