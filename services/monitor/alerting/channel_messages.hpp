// What people are told of alerts, as templates that Alertmanager fills in: in the customer's
// language what the rule says of the state, whose it is, since when, and where to look.
#pragma once

#include <string>
#include <string_view>

#include "services/monitor/channels/channels.hpp"

namespace vigia::monitor::alerting {

/// Of one alert its state, what people call its rule, and its node; of several how many there are
/// of each state.
std::string subject_of(const channels::ChannelRow& channel);

/// The page under `portal` (an origin) of the node, or that of the alerts; "" where `portal` is.
std::string page_of(const channels::ChannelRow& channel, std::string_view portal);

/// The message for mails as lines, and as HTML. The customer's name is text whatever stands in it.
std::string plain_mail(const channels::ChannelRow& channel, std::string_view portal);
std::string html_mail(const channels::ChannelRow& channel, std::string_view portal);

/// The message for Slack, in which the name is none of Slack's own marks.
std::string slack_text(const channels::ChannelRow& channel, std::string_view portal);

}  // namespace vigia::monitor::alerting
