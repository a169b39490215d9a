#include "services/monitor/internal_port/node_places.hpp"

#include <utility>

#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"
#include "services/monitor/customers/limits.hpp"
#include "services/monitor/internal_port/limits.hpp"

namespace vigia::monitor::internal_port {
namespace {

// The discard port of this machine: nothing listens there.
constexpr std::string_view kNowhere = "127.0.0.1:9";

ScrapePlace place_at(const std::string& entered, std::string found) {
  return {std::move(found), access::split_health_address(entered).is_encrypted};
}

void say_unused(const live::NodeKey& node, const Error& error) {
  service::log_debug("node address not used", {{"customer_id", node.first.text()},
                                               {"node_id", node.second.text()},
                                               {"error", error.message}});
}

}  // namespace

Error place_not_known_yet() {
  return {ErrorCode::kUnavailable, "where the node is asked is still being looked up", {}};
}

NodePlaces::Names system_names(access::AddressPolicy policy) {
  return {[policy](const std::string& address) { return access::resolve_checked(address, policy); },
          [policy](const std::string& address) { return access::check_literal(address, policy); }};
}

NodePlaces::NodePlaces(Names names, const Clock& clock, service::MetricRegistry& metrics)
    : names_(std::move(names)),
      clock_(clock),
      places_unknown_(metrics.gauge("vigia_monitor_places_unknown",
                                    "1 while the database does not tell where nodes are asked")),
      quick_workers_(kLookUpWorkers, kLookUpsOfCustomerMax * customers::kCustomersMax),
      slow_workers_(kSlowLookUpWorkers, kLookUpsOfCustomerMax * customers::kCustomersMax) {
  places_unknown_.set(1);
  metrics.on_collect([this](const service::MetricRegistry::Emit& emit) { show_unknown(emit); });
}

NodePlaces::~NodePlaces() {
  end();
  quick_workers_.stop(service::WaitingJobs::kDrop, {});
  slow_workers_.stop(service::WaitingJobs::kDrop, {});
}

void NodePlaces::end() {
  std::vector<Asker> left;
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
    for (auto& [node, place] : places_) left.push_back(take_asker(node, place));
  }
  for (const auto& asker : left) {
    if (asker) asker(tl::unexpected(place_not_known_yet()));
  }
}

NodePlaces::Asker NodePlaces::take_asker(const live::NodeKey& node, Place& place) {
  if (place.asker) --shares_[node.first].waiting;
  return std::exchange(place.asker, nullptr);
}

void NodePlaces::queue(const live::NodeKey& node, Place& place) {
  if (std::exchange(place.is_queued, true)) return;
  Share& share = shares_[node.first];
  (place.place ? share.again : share.first).push_back(node.second);
}

void NodePlaces::put(const nodes::NodeRow& node) {
  const live::NodeKey key(node.customer, node.id);
  Place& place = places_[key];
  place.round = round_;
  if (place.address == node.address) return;
  place.address = node.address;
  place.place.reset();
  const std::string name(access::split_health_address(node.address).host_and_port);
  if (auto literal = names_.literal(name)) {
    if (!*literal) say_unused(key, literal->error());
    place.place = place_at(node.address, literal->value_or(std::string(kNowhere)));
    place.until = TimePoint::max();
    shares_[key.first].unknown.erase(key.second);
    return;
  }
  shares_[key.first].unknown.insert(key.second);
  queue(key, place);
}

void NodePlaces::add_node(const nodes::NodeRow& node) {
  {
    const std::lock_guard lock(mutex_);
    put(node);
  }
  look_up_soon(node.customer);
}

void NodePlaces::set_nodes(const std::vector<nodes::NodeRow>& nodes) {
  std::vector<Asker> left;
  std::set<CustomerId> customers;
  {
    const std::lock_guard lock(mutex_);
    ++round_;
    for (const nodes::NodeRow& node : nodes) {
      put(node);
      customers.insert(node.customer);
    }
    for (auto one = places_.begin(); one != places_.end();) {
      if (one->second.round == round_) {
        ++one;
        continue;
      }
      // Askers are called after the lock is given back: they may come straight back in here.
      left.push_back(take_asker(one->first, one->second));
      shares_[one->first.first].unknown.erase(one->first.second);
      one = places_.erase(one);
    }
    for (auto& [customer, share] : shares_) {
      const auto is_gone = [&](const NodeId& id) {
        return !places_.contains(live::NodeKey(customer, id));
      };
      std::erase_if(share.first, is_gone);
      std::erase_if(share.again, is_gone);
    }
    std::erase_if(shares_, [&](const auto& one) {
      // A share with a job is kept: the job will count itself out of it.
      return one.second.jobs == 0 && !customers.contains(one.first);
    });
  }
  for (const auto& asker : left) {
    if (asker) asker(tl::unexpected(place_not_known_yet()));
  }
  for (const auto& customer : customers) look_up_soon(customer);
}

bool NodePlaces::ask(const live::NodeKey& node, Asker& asker) {
  std::optional<ScrapePlace> known;
  Asker displaced;
  {
    const std::lock_guard lock(mutex_);
    const auto found = places_.find(node);
    if (found == places_.end()) return false;
    Place& place = found->second;
    known = place.place;
    // The old place is used and a new look-up begun: nobody who has a place waits for a name
    // server.
    if (known && clock_.steady() >= place.until) queue(node, place);
    if (!known) {
      // One asker a node: the earlier one has been waiting since the last scrape, which Prometheus
      // has given up by now.
      displaced = take_asker(node, place);
      Share& share = shares_[node.first];
      if (is_ending_ || share.waiting >= kScrapesOfCustomerMax) {
        displaced = std::move(asker);
      } else {
        ++share.waiting;
        place.asker = std::move(asker);
      }
    }
  }
  if (known) asker(*known);
  if (displaced) displaced(tl::unexpected(place_not_known_yet()));
  look_up_soon(node.first);
  return true;
}

void NodePlaces::look_up_soon(const CustomerId& customer) {
  const std::lock_guard lock(mutex_);
  const auto found = shares_.find(customer);
  if (is_ending_ || found == shares_.end()) return;
  Share& share = found->second;
  const std::size_t wanted =
      std::min(share.first.size() + share.again.size(), kLookUpsOfCustomerMax);
  while (share.jobs < wanted) {
    // By the last look-up of the customer's: whoever runs a silent name server waits among such.
    auto& workers = share.is_slow ? slow_workers_ : quick_workers_;
    if (!workers.submit([this, customer] { look_up_next(customer); })) return;
    ++share.jobs;
  }
}

void NodePlaces::look_up_next(const CustomerId& customer) {
  std::optional<live::NodeKey> node;
  std::string address;
  {
    const std::lock_guard lock(mutex_);
    Share& share = shares_[customer];
    auto& waiting = share.first.empty() ? share.again : share.first;
    if (waiting.empty()) {
      --share.jobs;
      return;
    }
    node.emplace(customer, std::move(waiting.front()));
    waiting.pop_front();
    const auto found = places_.find(*node);
    if (found != places_.end()) address = found->second.address;
  }
  const auto begun = clock_.steady();
  Result<std::string> found =
      fail(ErrorCode::kUnavailable, "a fault of the monitor's, see its log");
  contain_faults("looking up a node", [&] {
    found = names_.look_up(std::string(access::split_health_address(address).host_and_port));
  });
  note(*node, address, found, clock_.steady() - begun);
  look_up_soon(customer);
}

void NodePlaces::note(const live::NodeKey& node, const std::string& address,
                      const Result<std::string>& found, Duration took) {
  Asker asker;
  Result<ScrapePlace> now = tl::unexpected(place_not_known_yet());
  {
    const std::lock_guard lock(mutex_);
    Share& share = shares_[node.first];
    --share.jobs;
    share.is_slow = took >= kSlowLookUp;
    const auto known = places_.find(node);
    if (known == places_.end()) return;
    Place& place = known->second;
    place.is_queued = false;
    // The answer belongs to the address that was asked for, not to the one that stands there now.
    if (place.address != address) return queue(node, place);  // it was changed meanwhile
    // A name server's silence says nothing about the node. A refused address does: it is not asked,
    // whatever it was before.
    const bool stays = !found && found.error().code == ErrorCode::kUnavailable && place.place;
    if (!stays) place.place = place_at(address, found.value_or(std::string(kNowhere)));
    place.until = clock_.steady() + kPlaceStays;
    share.unknown.erase(node.second);
    asker = take_asker(node, place);
    now = *place.place;
  }
  if (!found) say_unused(node, found.error());
  if (asker) contain_faults("asking a node", [&] { asker(now); });
}

void NodePlaces::show_unknown(const service::MetricRegistry::Emit& emit) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [customer, share] : shares_) {
    if (share.unknown.size() > kPlacesUnknownShownMax) {
      emit(
          "vigia_monitor_customer_places_unknown",
          "1 for each customer of many of whose nodes it is not looked up yet where they are asked",
          service::MetricType::kGauge, {{"customer_id", customer.text()}}, 1);
      continue;
    }
    for (const auto& node : share.unknown) {
      emit("vigia_monitor_node_place_unknown",
           "1 for each node of which it is not looked up yet where it is asked: its silence says "
           "nothing",
           service::MetricType::kGauge,
           {{"customer_id", customer.text()}, {"node_id", node.text()}}, 1);
    }
  }
}

}  // namespace vigia::monitor::internal_port
