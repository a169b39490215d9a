#include "services/storage/healing/settings.hpp"

#include "libs/service/doors.hpp"

namespace vigia::storage::healing {
namespace {

constexpr Duration kIntervalMin = std::chrono::seconds(1);
constexpr Duration kIntervalMax = std::chrono::hours(24);
constexpr Duration kSettleMax = std::chrono::hours(24);
constexpr Duration kBackMax = std::chrono::hours(24 * 365);

Duration read_within(const service::ConfigNode& node, Duration fallback, Duration least,
                     Duration most, std::string_view words) {
  const Duration duration = node.duration(fallback);
  if (duration < least || duration > most) node.note_error(words);
  return duration;
}

// It goes into logs and into the note.
bool has_userinfo(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view rest = url.substr(scheme + 3);
  return rest.substr(0, rest.find_first_of("/?#")).find('@') != std::string_view::npos;
}

}  // namespace

HealSettings read_heal(const service::ConfigNode& node) {
  HealSettings settings;
  if (!node.is_present()) return settings;
  settings.prometheus = service::read_url(node.child("prometheus"), true);
  if (has_userinfo(settings.prometheus)) {
    node.child("prometheus").note_error("must not name a user: it is logged");
  }
  settings.tls = service::read_client_tls(node.child("tls"));
  settings.interval = read_within(node.child("interval"), settings.interval, kIntervalMin,
                                  kIntervalMax, "1s to 24h");
  settings.settle =
      read_within(node.child("settle"), settings.settle, Duration(0), kSettleMax, "0 to 24h");
  settings.back =
      read_within(node.child("back"), settings.back, Duration(0), kBackMax, "0 to 365d");
  return settings;
}

}  // namespace vigia::storage::healing
