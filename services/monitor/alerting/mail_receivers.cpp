#include "services/monitor/alerting/mail_receivers.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <tuple>

#include <fmt/format.h>

#include "services/monitor/alerting/limits.hpp"
#include "services/monitor/channels/limits.hpp"

namespace vigia::monitor::alerting {
namespace {

// FNV-1a: the same in every build, as a receiver's name has to be.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char letter : text) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
  }
  return hash;
}

bool is_older(const channels::ChannelRow& one, const channels::ChannelRow& other) {
  return std::tie(one.created_ms, one.id) < std::tie(other.created_ms, other.id);
}

std::string ids_of(const std::vector<channels::ChannelRow>& channels) {
  std::string ids;
  for (const auto& channel : channels) ids += channel.id + "\n";
  return ids;
}

}  // namespace

std::size_t mail_receivers_for(std::size_t nodes) {
  if (nodes <= kMailNodesApart) return channels::kChannelsPerCustomerMax;
  // By powers of two: Alertmanager remembers by the receiver's name what it told, and a name that
  // changed with each node would have everybody told again each time.
  return std::max(kMailReceiversMin, kMailGroupsNodesMax / std::bit_ceil(nodes));
}

std::string mail_group(const channels::ChannelRow& channel) {
  const auto receivers = mail_receivers_for(channel.customer_nodes);
  if (receivers == channels::kChannelsPerCustomerMax) return "mail-" + channel.id;
  return fmt::format("mails-{}-{}-of-{}", channel.customer.text(),
                     hash_of(channel.id) % receivers + 1, receivers);
}

std::vector<MailReceiver> mail_receivers(const std::vector<channels::ChannelRow>& channels) {
  std::vector<MailReceiver> all;
  for (const auto& channel : channels) {
    if (channel.type != "email") continue;
    const auto name = mail_group(channel);
    auto found = std::find_if(all.begin(), all.end(),
                              [&](const auto& receiver) { return receiver.name == name; });
    if (found == all.end()) found = all.insert(all.end(), {name, {}});
    found->told.push_back(channel);
  }
  for (auto& [name, told] : all) {
    // The members are a part of the name: Alertmanager keeps by name and place in it whom it told,
    // and a receiver that kept its name while others moved up would take the one's mails for the
    // other's.
    if (name == "mail-" + told.front().id) continue;
    std::sort(told.begin(), told.end(), is_older);
    name += fmt::format("-{:016x}", hash_of(ids_of(told)));
  }
  return all;
}

}  // namespace vigia::monitor::alerting
