#include "services/monitor/channels/channel_check.hpp"

#include <algorithm>
#include <memory>
#include <string_view>

#include <fmt/format.h>
#include <idn2.h>

#include "services/monitor/access/address.hpp"

namespace vigia::monitor::channels {
namespace {

// RFC 5321, 4.5.3.1; a domain's labels RFC 1035, 2.3.4.
constexpr std::size_t kLocalBytesMax = 64;
constexpr std::size_t kDomainBytesMax = 253;
constexpr std::size_t kDomainLabelBytesMax = 63;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool has_only(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alphanumeric(c) || others.find(c) != std::string_view::npos;
  });
}

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool has_whole_escapes(std::string_view text) {
  for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
    if (at + 2 >= text.size() || !is_hex_digit(text[at + 1]) || !is_hex_digit(text[at + 2])) {
      return false;
    }
  }
  return true;
}

Result<void> refuse(std::string_view why) {
  return fail(ErrorCode::kInvalid, fmt::format("target: {}", why));
}

// RFC 3986's characters: printable ASCII without quotes, spaces and braces.
Result<void> check_url_text(const std::string& text) {
  if (!has_only(text, "-._~:/?#[]@!$&'()*+,;=%")) return refuse("a URL in its escaped form");
  if (!has_whole_escapes(text)) {
    return refuse("a URL in its escaped form: after % two hexadecimal digits are needed");
  }
  auto host = access::host_of_url(text);
  if (!host) return forward(host);
  return {};
}

// Words of `is_inner` with single dots between them.
template <typename Inner>
bool is_dotted(std::string_view text, Inner is_inner) {
  bool after_dot = true;
  for (const char c : text) {
    if (c == '.' ? after_dot : !is_inner(c)) return false;
    after_dot = c == '.';
  }
  return !after_dot;
}

// RFC 5322, 3.2.3 (dot-atom-text).
bool is_local_part(std::string_view text) {
  static constexpr std::string_view kAtextSigns = "!#$%&'*+-/=?^_`{|}~";
  return text.size() <= kLocalBytesMax && is_dotted(text, [](char c) {
           return is_alphanumeric(c) || kAtextSigns.find(c) != std::string_view::npos;
         });
}

// RFC 5321, 2.3.5: labels of letters, digits and inner dashes.
bool is_domain(std::string_view text) {
  if (text.size() > kDomainBytesMax ||
      !is_dotted(text, [](char c) { return is_alphanumeric(c) || c == '-'; })) {
    return false;
  }
  while (!text.empty()) {
    const auto label = text.substr(0, text.find('.'));
    if (label.size() > kDomainLabelBytesMax || label.front() == '-' || label.back() == '-') {
      return false;
    }
    text.remove_prefix(std::min(text.size(), label.size() + 1));
  }
  return true;
}

Result<std::string> ascii_domain(const std::string& domain) {
  char* raw = nullptr;
  const int outcome = idn2_to_ascii_8z(domain.c_str(), &raw, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<char, decltype(&idn2_free)> ascii(raw, &idn2_free);
  if (outcome != IDN2_OK || !is_domain(ascii.get())) {
    return fail(ErrorCode::kInvalid, "target: the part after @ is no domain name");
  }
  return std::string(ascii.get());
}

Result<void> check_mail_address(const std::string& text) {
  auto address = wire_mail_address(text);
  if (!address) return forward(address);
  return {};
}

}  // namespace

Result<std::string> wire_mail_address(const std::string& text) {
  constexpr std::string_view kLocal =
      "target: before @ letters, digits, single dots and !#$%&'*+-/=?^_`{|}~ are taken";
  if (text.find_first_of(",;") != std::string::npos ||
      std::count(text.begin(), text.end(), '@') > 1) {
    return fail(ErrorCode::kInvalid,
                "target: one e-mail address; add a second channel for a second one");
  }
  const auto at = text.find('@');
  if (at == std::string::npos) {
    return fail(ErrorCode::kInvalid, "target: an e-mail address, as in alerts@example.com");
  }
  const auto local = text.substr(0, at);
  // "{{" would begin a template of Alertmanager's.
  if (!is_local_part(local) || local.find("{{") != std::string::npos) {
    return fail(ErrorCode::kInvalid, std::string(kLocal));
  }
  auto domain = ascii_domain(text.substr(at + 1));
  if (!domain) return forward(domain);
  return local + "@" + *domain;
}

Result<void> check_channel_text(const std::string& type, const std::string& target,
                                const std::string& channel) {
  if (type != "webhook" && type != "email" && type != "slack") {
    return fail(ErrorCode::kInvalid, "type: webhook, email or slack");
  }
  auto checked = type == "email" ? check_mail_address(target) : check_url_text(target);
  if (!checked) return forward(checked);
  if (!channel.empty() && (type != "slack" || !has_only(channel, "#@._-"))) {
    return fail(ErrorCode::kInvalid, "channel: only for slack; letters, digits and # @ . _ -");
  }
  return {};
}

}  // namespace vigia::monitor::channels
