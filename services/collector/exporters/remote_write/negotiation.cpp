#include "services/collector/exporters/remote_write/negotiation.hpp"

#include <utility>

#include "libs/service/log.hpp"

namespace vigia::collector::exporters::remote_write {

Negotiation::Negotiation(Settings settings, const Clock& clock, service::MetricRegistry& metrics)
    : settings_(std::move(settings)),
      clock_(clock),
      version_(metrics.gauge("vigia_exporter_remote_write_version",
                             "Version of remote write by which the destination is written to",
                             {{"exporter", settings_.exporter}})) {
  version_.set(settings_.only_1 ? 1 : 2);
}

Negotiation::Choice Negotiation::choose(const CustomerId& customer) {
  if (settings_.only_1) return {Version::k1, true};
  const std::lock_guard lock(mutex_);
  if (back_ && clock_.steady() < *back_) return {Version::k1, true};
  if (const auto refused = refused_.find(customer); refused != refused_.end()) {
    if (clock_.steady() < refused->second) return {Version::k1, true};
    refused_.erase(refused);
  }
  return {Version::k2, is_known_};
}

void Negotiation::note_refusal(const CustomerId& customer) {
  const std::lock_guard lock(mutex_);
  refused_[customer] = clock_.steady() + kCalmFor;
}

void Negotiation::note_speaks_2() {
  const std::lock_guard lock(mutex_);
  // An answer from before it fell back says nothing of now.
  if (is_known_ || (back_ && clock_.steady() < *back_)) return;
  is_known_ = true;
  back_.reset();
  version_.set(2);
  if (std::exchange(has_fallen_back_, false))
    service::log_info("the destination speaks remote write 2.0 again",
                      {{"exporter", settings_.exporter}});
}

void Negotiation::note_speaks_1(const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (back_ && clock_.steady() < *back_) return;
  is_known_ = false;
  back_ = clock_.steady() + kRememberedFor;
  version_.set(1);
  if (std::exchange(has_fallen_back_, true)) return;
  service::log_warn(
      "the destination does not speak remote write 2.0: it gets 1.0, without start times and "
      "metadata of each series, and is asked again every hour",
      {{"exporter", settings_.exporter}, {"why", why}});
}

}  // namespace vigia::collector::exporters::remote_write
