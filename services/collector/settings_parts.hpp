// The parts of a configuration, one function a kind.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "libs/service/config.hpp"
#include "services/collector/settings.hpp"

namespace vigia::collector {

/// "otlp" of "otlp/2".
std::string_view part_type(std::string_view id);
/// "2" of "otlp/2", "" of "otlp".
std::string_view part_name(std::string_view id);

/// A key that stock files carry and that has no effect here: taken, and told at start.
void take_note(const service::ConfigNode& node, std::string_view why,
               std::vector<std::string>& notes);

/// What other parts refer to.
struct Extensions {
  std::set<std::string> ids;
  std::map<std::string, std::string> bearer_tokens;  ///< bearertokenauth id → header value
  std::string auth_id;                               ///< of vigia_auth
  std::string health_id;
  std::string health_endpoint;
};
/// Sets directory and storage in `settings`.
Extensions read_extensions(const service::ConfigNode& node, Settings& settings);

std::vector<ReceiverSettings> read_otlp_receiver(const service::ConfigNode& node,
                                                 const std::string& id,
                                                 std::vector<std::string>& notes);

/// memory_limiter and batch. `is_used`: a pipeline names it.
void read_processor(const service::ConfigNode& node, const std::string& id, bool is_used,
                    Settings& settings);

/// Nothing, noted, where the id names no exporter of ours.
std::optional<exporters::ExporterSettings> read_exporter(const service::ConfigNode& node,
                                                         const std::string& id,
                                                         const Extensions& extensions,
                                                         std::vector<std::string>& notes);

}  // namespace vigia::collector
