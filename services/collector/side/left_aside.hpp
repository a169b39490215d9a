// What lies aside of exporters that are not configured: renamed, removed, or misspelled. It is
// acknowledged data, and nobody sends it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"

namespace vigia::collector::side {

/// The folder of an exporter's side queue.
std::string side_folder(const std::string& data_directory, std::string exporter);

struct LeftAside {
  std::string exporter;  ///< as its folder says it: "otlphttp/cold"
  std::uint64_t customers = 0;
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;              ///< of content
  std::uint64_t unreadable = 0;         ///< files whose head is damaged or of a later version
  std::int64_t oldest_received_ms = 0;  ///< by the collector's wall clock; 0: not known
};

/// Of each folder in `<data_directory>/side` that none of `exporters` has, where something waits.
/// Reads the entries' heads and changes nothing: with the name the data is sent again. A folder
/// that cannot be listed (another's, such as lost+found) is passed over.
Result<std::vector<LeftAside>> find_left_aside(const std::string& data_directory,
                                               const std::vector<std::string>& exporters);

/// Whether its folder is still there: a person may have removed it.
bool is_left_aside(const std::string& data_directory, const std::string& exporter);

}  // namespace vigia::collector::side
