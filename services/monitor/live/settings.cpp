#include "services/monitor/live/settings.hpp"

#include "libs/service/doors.hpp"

namespace vigia::monitor::live {

LiveSettings read_live(const service::ConfigNode& root) {
  LiveSettings settings;
  settings.router_url = service::read_url(root.child("router").child("url"), true);
  const auto retention = root.child("retention");
  settings.kept = retention.duration(settings.kept);
  if (settings.kept < Duration::zero()) retention.note_error("can't be negative; 0 keeps for ever");
  const auto shown = root.child("public");
  settings.collector_grpc = shown.child("collector_grpc").text();
  settings.collector_http = shown.child("collector_http").text();
  settings.router_public = shown.child("router").text();
  return settings;
}

}  // namespace vigia::monitor::live
