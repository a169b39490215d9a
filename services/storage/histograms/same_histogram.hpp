// When two messages are one histogram.
#pragma once

#include <string>
#include <string_view>

namespace vigia::storage::histograms {

/// The same bytes for messages that say the same to a query, however they say it: what is not in
/// them are empty buckets, how spans are cut, the time, and words on resets (but that it is a
/// gauge). A chunk keeps no more than this. What is no sound histogram is itself.
std::string said_by(std::string_view message);

/// Whether they say the same.
bool is_same_histogram(std::string_view left, std::string_view right);

}  // namespace vigia::storage::histograms
