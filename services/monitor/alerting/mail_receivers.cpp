#include "services/monitor/alerting/mail_receivers.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

#include <fmt/format.h>

#include "services/monitor/limits.hpp"

namespace vigia::monitor {
namespace {

// FNV-1a: the same in every build, as a receiver's name has to be.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char letter : text) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
  }
  return hash;
}

}  // namespace

std::size_t mail_receivers_for(std::size_t nodes) {
  if (nodes <= kMailNodesApart) return kChannelsPerCustomerMax;
  return std::max(kMailReceiversMin, kMailGroupsNodesMax / std::bit_ceil(nodes));
}

std::string mail_receiver(const Channel& channel) {
  const auto receivers = mail_receivers_for(channel.customer_nodes);
  if (receivers == kChannelsPerCustomerMax) return "mail-" + channel.id;
  return fmt::format("mails-{}-{}-of-{}", channel.customer.text(),
                     hash_of(channel.id) % receivers + 1, receivers);
}

std::vector<std::pair<std::string, std::vector<Channel>>> mail_receivers(
    const std::vector<Channel>& channels) {
  std::vector<std::pair<std::string, std::vector<Channel>>> all;
  for (const auto& channel : channels) {
    if (channel.type != "email") continue;
    const auto name = mail_receiver(channel);
    auto found = std::find_if(all.begin(), all.end(),
                              [&](const auto& receiver) { return receiver.first == name; });
    if (found == all.end()) found = all.insert(all.end(), {name, {}});
    found->second.push_back(channel);
  }
  return all;
}

}  // namespace vigia::monitor
