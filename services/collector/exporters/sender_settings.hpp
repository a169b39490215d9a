// What the configuration says of an exporter that sends by HTTP: each part for whoever reads it.
#pragma once

#include "services/collector/exporters/http_settings.hpp"
#include "services/collector/exporters/push_settings.hpp"

namespace vigia::collector::exporters {

struct SenderSettings {
  HttpSettings http;
  PushSettings push;
};

inline SenderSettings read_sender(const service::ConfigNode& node, BareEndpoint bare,
                                  const config::PartContext& context) {
  return {read_http_settings(node, bare, context), read_push_settings(node, context)};
}

}  // namespace vigia::collector::exporters
