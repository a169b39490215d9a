// Which of Alertmanager's receivers tells a channel for mail.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "services/monitor/store/channels.hpp"

namespace vigia::monitor {

/// Alertmanager sorts all alerts of a group at each flush of it, and has a group of each alert name
/// for each receiver: 5,000 nodes cost 0.3 s of a core each, every kGroupInterval. So a customer
/// has as many receivers for mail as its nodes allow: twenty up to kMailNodesApart, then fewer, and
/// never less than kMailReceiversMin. By powers of two, for who is told by another receiver than
/// before is told again of what stands.
std::size_t mail_receivers_for(std::size_t nodes);

/// The name of the one that tells this channel, by its customer's nodes: "mail-" and its id where
/// each has its own, else "mails-" with the customer and a number. Which number does not depend on
/// the customer's other channels.
std::string mail_receiver(const Channel& channel);

/// All receivers for mail of these channels, each with those that it tells; other types are passed
/// over. In the order of their first channels.
std::vector<std::pair<std::string, std::vector<Channel>>> mail_receivers(
    const std::vector<Channel>& channels);

}  // namespace vigia::monitor
