// Service: what it has open is others' to read, and theirs its own.
#include "services/storage/api/fence_header.hpp"
#include "services/storage/peers/open_message.hpp"
#include "services/storage/service.hpp"

namespace vigia::storage {
namespace {

constexpr std::size_t kPeerThreads = 2;
constexpr std::size_t kPeerJobsMax = 64;
constexpr std::size_t kPeerBytesMax = 4U << 20U;  // of questions

std::string asker_of(const net::Request& request) {
  return std::string(request.headers.get(api::kCustomerHeader));
}

}  // namespace

// Threads of their own: readers of two instances that wait for each other would else wait in vain.
void Service::start_peers() {
  if (open_rows_ == nullptr) return;
  peer_readers_ = std::make_unique<lanes::CustomerLanes>(
      lanes::LaneSettings{"open samples", kPeerThreads, 1, kPeerJobsMax, kPeerBytesMax});
  open_samples_ = std::make_unique<peers::OpenSamplesApi>(
      *heads_, *stored_series_, *answers_, [this] { return instance_->sharing_number(); });
  peers_ = std::make_unique<peers::Peers>(
      settings_.peers, settings_.internal_token,
      peers::Sharing{[this] { return instance_->sharing_number(); },
                     [this] { return instance_->sharing_numbers(); }});
  remote_read_->use_elsewhere(*peers_);
}

void Service::add_open_samples() {
  if (open_samples_ == nullptr) return;
  add_route("POST", std::string(peers::kOpenPath), *peer_readers_, asker_of,
            [this](const net::Request& request, const net::PathValues&) {
              return open_samples_->handle(request);
            });
}

void Service::mark_lacking(net::Response& response) const {
  if (peers_ != nullptr && peers_->lacks_some()) api::mark_incomplete(response, api::kLacksPeers);
}

void Service::add_peer_metrics() {
  if (peers_ == nullptr) return;
  registry_.on_collect([this](const service::MetricRegistry::Emit& emit) {
    using service::MetricType;
    for (const peers::PeerState& peer : peers_->states()) {
      emit("vigia_storage_peer_answers",
           "1 while the instance of that address answers for what it has open.", MetricType::kGauge,
           {{"peer", peer.url}}, peer.answers ? 1.0 : 0.0);
      emit("vigia_storage_peer_failures_total",
           "Questions for open samples that were not answered, by whom.", MetricType::kCounter,
           {{"peer", peer.url}}, static_cast<double>(peer.failures));
    }
    emit("vigia_storage_peers_missing",
         "1 while somebody who may have open samples does not answer: answers lack them.",
         MetricType::kGauge, {}, peers_->lacks_some() ? 1.0 : 0.0);
  });
}

}  // namespace vigia::storage
