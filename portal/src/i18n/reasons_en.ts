/** Why the monitor refuses an address or a target: its words, and how they go on in one of our sentences, in English. */
export const reasons = {
  "write it as host:port or [ipv6]:port": "write it as host:port or [ipv6]:port",
  "neither IPv4 nor IPv6": "neither IPv4 nor IPv6",
  "neither a host name nor a plain IP address": "neither a host name nor a plain IP address",
  "the name has no address": "the name has no address",
  "link-local, metadata, reserved and multicast addresses are not allowed":
    "link-local, metadata, reserved and multicast addresses are not allowed",
  "loopback addresses are not allowed": "loopback addresses are not allowed",
  "private addresses are not allowed": "private addresses are not allowed",
  "unspecified and IPv4-mapped addresses are not allowed":
    "unspecified and IPv4-mapped addresses are not allowed",
  "multicast addresses are not allowed": "multicast addresses are not allowed",
  "link-local addresses are not allowed": "link-local addresses are not allowed",
  "metadata addresses are not allowed": "metadata addresses are not allowed",
  "6to4 addresses are not allowed": "6to4 addresses are not allowed",
  "NAT64 addresses are not allowed": "NAT64 addresses are not allowed",
  "a URL that begins with http:// or https://": "write a URL that begins with http:// or https://",
  "no user name in the URL": "no user name may stand in the URL",
  "the port is a number from 1 to 65535": "the port is a number from 1 to 65535",
  "a URL in its escaped form": "write the URL in its escaped form",
  "a URL in its escaped form: after % two hexadecimal digits are needed":
    "after % two hexadecimal digits are needed",
  "the part after @ is no domain name": "the part after @ is no domain name",
  "before @ letters, digits, single dots and !#$%&'*+-/=?^_`{|}~ are taken":
    "before @ letters, digits, single dots and !#$%&'*+-/=?^_`{|}~ are taken",
  "one e-mail address; add a second channel for a second one":
    "one e-mail address; add a second channel for a second one",
  "an e-mail address, as in alerts@example.com":
    "write an e-mail address, as in alerts@example.com",
  "only for slack; letters, digits and # @ . _ -": "letters, digits and # @ . _ - are taken",
};

/** Why a message to a channel did not arrive: the monitor's words. */
export const failures = {
  "its host cannot be reached": "its host cannot be reached",
  "its host does not answer in time": "its host does not answer in time",
  "its host does not answer in HTTP": "its host does not answer in HTTP",
  "too many messages are under way to this customer":
    "too many messages are under way to this customer",
  "too many messages are under way": "too many messages are under way",
  "the message cannot be written anew": "the message cannot be written in this channel's form",
  "the mail server does not take the message": "the mail server does not take the message",
};
export const answers = (status: string) => `its host answers ${status}`;

export const unresolved = (host: string) => `no name server knows ${host}`;

/** What a form says of a field before anything is sent. */
export const field = {
  missing: "Fill this in.",
  choose: "Choose one",
  short: (length: number) => `Write at least ${String(length)} characters.`,
  email: "Write an e-mail address, as in alerts@example.com.",
  url: "Write a URL that begins with http:// or https://.",
  other: "Write something else than blanks.",
};
