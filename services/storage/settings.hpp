// The configuration of vigia-storage (README.md lists the keys): the settings of its parts,
// each with a reader of its own.
#pragma once

#include <optional>
#include <string>

#include "libs/net/server.hpp"
#include "libs/service/config.hpp"
#include "services/storage/healing/settings.hpp"
#include "services/storage/identity/settings.hpp"
#include "services/storage/ingest/settings.hpp"
#include "services/storage/keep/settings.hpp"
#include "services/storage/peers/settings.hpp"
#include "services/storage/retention/classes.hpp"
#include "services/storage/retention/settings.hpp"
#include "services/storage/store_kinds.hpp"

namespace vigia::storage {

inline constexpr std::int64_t kExemplarsPerMinute = 1'000;
inline constexpr std::int64_t kMetadataMax = 20'000;

struct Settings {
  std::string listen = "127.0.0.1:9096";
  std::optional<net::TlsServerSettings> tls;  ///< of `listen`; none: plain
  std::string metrics_listen = "127.0.0.1:9196";
  std::string internal_token;
  StoreSettings store;
  peers::PeerSettings peers;  ///< of a store that several instances share
  identity::StoreGuardSettings guard;
  ingest::IngesterSettings ingest;
  retention::RetentionSettings retention;
  retention::ClassSettings classes;
  keep::CheckpointSettings checkpoints;
  healing::HealSettings heal;
  /// Of the process; buffers, waiting requests and answers take their shares of it.
  std::uint64_t memory_max = 1ULL << 30U;
  std::uint64_t exemplars_per_minute = kExemplarsPerMinute;  ///< of a customer; 0: none are kept
  std::uint64_t metadata_max = kMetadataMax;  ///< metrics of a customer; 0: of none it is kept
  Duration late_max{};  ///< samples that are older are refused; 0: none for that
};

/// Reads all keys and calls ConfigFile::finish. kInvalid with file, line and key.
Result<Settings> read_settings(const service::ConfigFile& file);

/// The keys with their defaults, for --help.
std::string settings_help();

}  // namespace vigia::storage
