// The mark of a record that was copied from the waiting log into the disk log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vigia::collector::bodies {

/// The note of a record whose items are all accepted, which came from the record of that sequence
/// in the waiting log (docs/formats/tail-sampling.md). Verdicts never begin so: a body without
/// items is not kept.
std::string moved_note(std::uint64_t sequence);
/// Nothing where the note is no such mark.
std::optional<std::uint64_t> moved_sequence(std::string_view note);

}  // namespace vigia::collector::bodies
