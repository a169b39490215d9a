// Which of Alertmanager's receivers tells a channel for mail.
#pragma once

#include <string>
#include <vector>

#include "services/monitor/channels/channels.hpp"

namespace vigia::monitor::alerting {

/// Alertmanager sorts all alerts of a group at each flush of it, and has a group of each alert name
/// for each receiver: 5,000 nodes cost 0.3 s of a core each, every kGroupInterval. So a customer
/// has as many receivers for mail as its nodes allow: twenty up to kMailNodesApart, then fewer, and
/// never less than kMailReceiversMin. By powers of two, for who is told by another receiver than
/// before is told again of what stands: once at each crossing, in either direction.
std::size_t mail_receivers_for(std::size_t nodes);

/// Which of its customer's groups for mail a channel is in, by the customer's nodes: "mail-" and
/// its id where each is alone, else "mails-" with the customer and a number. Which number does not
/// depend on the customer's other channels.
std::string mail_group(const channels::ChannelRow& channel);

/// Alertmanager remembers what it has told by a receiver's name and the place in it. So the name of
/// one that tells several says who they are: with other members it is another receiver, and all are
/// told once more what stands, where one would otherwise take over what its neighbour was told, and
/// hear nothing. The same members have the same name, in whatever order they come.
struct MailReceiver {
  std::string name;
  std::vector<channels::ChannelRow> told;  ///< by age; never empty
};

/// All receivers for mail of these channels; other types are passed over. In the order of their
/// first channels.
std::vector<MailReceiver> mail_receivers(const std::vector<channels::ChannelRow>& channels);

}  // namespace vigia::monitor::alerting
