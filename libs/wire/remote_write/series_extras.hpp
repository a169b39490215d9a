// What 2.0 says of a series beside its labels and values, and 1.0 has no place for: kept before the
// labels of a TimeSeries of 1.0 while it waits inside of the collector, and never sent so.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "libs/model/sample.hpp"
#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::wire::remote_write {

/// More of a help or unit is cut off, between characters: it stands beside each of its values.
inline constexpr std::size_t kHelpBytesMax = 512;
inline constexpr std::size_t kUnitBytesMax = 64;

/// Encoded metadata of a series, "" where it says nothing. `family` is passed over: it is the
/// series' own.
std::string encode_extras(const MetadataView& metadata);
/// Since when the values count, behind the metadata; 0 adds nothing.
void append_start(std::string& extras, TimestampMs start_ms);

struct SeriesExtras {
  std::string_view metadata;  ///< encoded; "": none
  TimestampMs start_ms = 0;
};
/// Takes the extras off the front of a TimeSeries' content. Nothing where they are cut off.
std::optional<SeriesExtras> take_extras(std::string_view& series);
/// Nothing where these bytes are no metadata of extras.
std::optional<MetadataView> read_extras(std::string_view metadata);

/// What a series says of its metric, `family` being what 1.0 calls that; views the message.
using OnSaid = std::function<void(const MetadataView& metadata)>;
/// A message of 1.0 without extras, as it is sent. What is no such message comes back as it is.
/// `on_said` is told what series say of their metrics, of neighbours that say the same once.
std::string strip_extras(std::string_view message, const OnSaid& on_said = {});

}  // namespace vigia::wire::remote_write
