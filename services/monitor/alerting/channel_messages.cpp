#include "services/monitor/alerting/channel_messages.hpp"

#include <fmt/format.h>

#include "libs/base/json_text.hpp"
#include "services/monitor/alerting/limits.hpp"
#include "services/monitor/alerting/rules.hpp"

namespace vigia::monitor::alerting {
namespace {

/// What a person reads, in the customer's language. Alertmanager's templates fill in the rest.
struct Words {
  std::string_view summary;   ///< the annotation that is in this language
  std::string_view recovery;  ///< likewise, once it is over
  std::string_view firing;
  std::string_view resolved;
  std::string_view since;
  std::string_view until;
  std::string_view customer;
  std::string_view node;
  std::string_view and_others;  ///< before and after how many are not listed
  std::string_view more;
  std::string AlertRule::* title;  ///< what a rule is called
};
constexpr Words kSpanish{"summary", "resolved", "ACTIVA", "RESUELTA", "desde",          "hasta",
                         "Cliente", "nodo",     "y",      "más",      &AlertRule::title};
constexpr Words kEnglish{
    "summary_en", "resolved_en", "FIRING", "RESOLVED",          "since", "until", "Customer",
    "node",       "and",         "more",   &AlertRule::title_en};

const Words& words_of(const channels::ChannelRow& channel) {
  return channel.language == "en" ? kEnglish : kSpanish;
}

// Alertmanager's template of one alert: `firing` or `resolved`, as its own state is.
std::string by_state(std::string_view firing, std::string_view resolved) {
  return fmt::format("{{{{ if eq .Status \"firing\" }}}}{}{{{{ else }}}}{}{{{{ end }}}}", firing,
                     resolved);
}

std::string annotation_or(std::string_view name, std::string_view otherwise) {
  return fmt::format("{{{{ with .Annotations.{} }}}}{{{{ . }}}}{{{{ else }}}}{}{{{{ end }}}}", name,
                     otherwise);
}

// Local to where Alertmanager runs, with how far that is from UTC: no zone's short name is unique.
std::string local_time(std::string_view field) {
  return fmt::format("{{{{ .{}.Local.Format \"2006-01-02 15:04:05 UTC-07:00\" }}}}", field);
}

// What people call the rule of a group; one without such a title by its name.
std::string title_in(const Words& words) {
  std::string text = "{{ $rule := .CommonLabels.alertname }}";
  bool is_first = true;
  for (const auto& rule : standard_rules({})) {
    text += fmt::format("{{{{ {} eq $rule \"{}\" }}}}{}", is_first ? "if" : "else if", rule.name,
                        rule.*words.title);
    is_first = false;
  }
  return text + "{{ else }}{{ $rule }}{{ end }}";
}

// Of one alert its state, of several how many there are of each.
std::string subject_in(const Words& words) {
  return "[{{ $firing := len .Alerts.Firing }}{{ $resolved := len .Alerts.Resolved }}"
         "{{ if eq (len .Alerts) 1 }}" +
         by_state(words.firing, words.resolved) +
         fmt::format(
             "{{{{ else }}}}{{{{ with $firing }}}}{}: {{{{ . }}}}{{{{ end }}}}"
             "{{{{ if and $firing $resolved }}}}, {{{{ end }}}}"
             "{{{{ with $resolved }}}}{}: {{{{ . }}}}{{{{ end }}}}{{{{ end }}}}",
             words.firing, words.resolved) +
         "] " + title_in(words) + "{{ with .CommonLabels.node_id }} · {{ . }}{{ end }}";
}

// Of `which` (a template's variable) the first kAlertsListedMax a line each, and how many more
// there are: a customer's nodes may go down all at once.
std::string list_of(std::string_view which, const std::string& line, std::string_view state,
                    const Words& words, std::string_view between) {
  return fmt::format(
             "{{{{ range $i, $alert := {0} }}}}{{{{ if lt $i {1} }}}}"
             "{{{{ if $i }}}}{2}{{{{ end }}}}",
             which, kAlertsListedMax, between) +
         line +
         fmt::format(
             "{{{{ end }}}}{{{{ end }}}}{{{{ if gt (len {0}) {1} }}}}{2}{3}: {4} "
             "{{{{ len (slice {0} {1}) }}}} {5}{{{{ end }}}}",
             which, kAlertsListedMax, between, state, words.and_others, words.more);
}

// Alertmanager brings a group as a whole: those that stand, and those that have just ended.
std::string body_of(const Words& words, std::string_view between) {
  const auto summary = annotation_or(words.summary, "{{ .Annotations.summary }}");
  const auto since = fmt::format(" ({} {}", words.since, local_time("StartsAt"));
  const auto until = fmt::format(" {} {}", words.until, local_time("EndsAt"));
  const auto firing = fmt::format("{}: {}{})", words.firing, summary, since);
  const auto resolved = fmt::format("{}: {}{}{})", words.resolved,
                                    annotation_or(words.recovery, summary), since, until);
  return "{{ $firing := .Alerts.Firing }}{{ $resolved := .Alerts.Resolved }}" +
         list_of("$firing", firing, words.firing, words, between) +
         fmt::format("{{{{ if and $firing $resolved }}}}{}{{{{ end }}}}", between) +
         list_of("$resolved", resolved, words.resolved, words, between);
}

// The name is text whatever stands in it: a string of the template language.
std::string whose(const Words& words, const std::string& name) {
  return fmt::format("{}: {{{{ {} }}}}", words.customer, json_text(name)) +
         fmt::format("{{{{ with .CommonLabels.node_id }}}} · {}: {{{{ . }}}}{{{{ end }}}}",
                     words.node);
}

std::string plain_body(const channels::ChannelRow& channel, const std::string& name,
                       std::string_view portal) {
  const auto& words = words_of(channel);
  const auto page = page_of(channel, portal);
  return body_of(words, "\n") + "\n" + whose(words, name) + (page.empty() ? "" : "\n" + page);
}

// A name must not become one of Slack's own marks, such as one that calls everybody.
std::string escape_for_slack(const std::string& name) {
  std::string out;
  for (const char letter : name) {
    if (letter == '&') {
      out += "&amp;";
    } else if (letter == '<') {
      out += "&lt;";
    } else if (letter == '>') {
      out += "&gt;";
    } else {
      out += letter;
    }
  }
  return out;
}

}  // namespace

std::string subject_of(const channels::ChannelRow& channel) {
  return subject_in(words_of(channel));
}

std::string page_of(const channels::ChannelRow& channel, std::string_view portal) {
  if (portal.empty()) return {};
  return fmt::format(
      "{0}{{{{ if .CommonLabels.node_id }}}}/nodes/{1}/{{{{ .CommonLabels.node_id | urlquery }}}}"
      "{{{{ else }}}}/alerts{{{{ end }}}}",
      portal, channel.customer.text());
}

std::string html_mail(const channels::ChannelRow& channel, std::string_view portal) {
  const auto& words = words_of(channel);
  const auto page = page_of(channel, portal);
  return "<p>" + body_of(words, "</p><p>") + "</p><p>" + whose(words, channel.customer_name) +
         "</p>" + (page.empty() ? "" : fmt::format("<p><a href=\"{0}\">{0}</a></p>", page));
}

std::string plain_mail(const channels::ChannelRow& channel, std::string_view portal) {
  return plain_body(channel, channel.customer_name, portal);
}

std::string slack_text(const channels::ChannelRow& channel, std::string_view portal) {
  return plain_body(channel, escape_for_slack(channel.customer_name), portal);
}

}  // namespace vigia::monitor::alerting
