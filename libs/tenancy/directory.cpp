#include "libs/tenancy/directory.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include <fmt/format.h>

#include "libs/base/hex.hpp"
#include "libs/base/rfc3339.hpp"
#include "libs/service/config.hpp"

namespace vigia::tenancy {
namespace {

using service::ConfigFile;
using service::ConfigNode;

constexpr std::int64_t kCountMax = 1'000'000'000'000;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
// A longer "token" is not hashed: nobody has one.
constexpr std::size_t kTokenBytesMax = 4096;

struct TokenEntry {
  Principal principal;
  std::int64_t expires_ms = kNever;
};

bool is_sha256_hex(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Result<Principal> unknown_token() {
  return fail(ErrorCode::kUnauthenticated, "the token is not known or has expired");
}

/// Where the key is absent or 0, `fallback` stands.
std::uint64_t read_limit(const ConfigNode& node, std::uint64_t fallback) {
  const auto given = static_cast<std::uint64_t>(node.integer(0, 0, kCountMax));
  return given == 0 ? fallback : given;
}

Limits read_limits(const ConfigNode& node) {
  const Limits standard;
  Limits limits;
  limits.points_per_second = read_limit(node.child("points_per_second"), 0);
  limits.spans_per_second = read_limit(node.child("spans_per_second"), 0);
  limits.log_records_per_second = read_limit(node.child("log_records_per_second"), 0);
  limits.bytes_per_second = read_limit(node.child("bytes_per_second"), 0);
  limits.active_series = read_limit(node.child("active_series"), 0);
  limits.label_value_bytes =
      read_limit(node.child("label_value_bytes"), standard.label_value_bytes);
  limits.labels_per_series =
      read_limit(node.child("labels_per_series"), standard.labels_per_series);
  return limits;
}

class ParsedDirectory final : public Directory {
 public:
  Result<Principal> authenticate(std::string_view token, std::int64_t now_ms) const override {
    if (token.empty() || token.size() > kTokenBytesMax) return unknown_token();
    const auto entry = tokens_.find(sha256_hex(token));
    if (entry == tokens_.end() || now_ms >= entry->second.expires_ms) return unknown_token();
    return entry->second.principal;
  }
  const Customer* find(const CustomerId& customer) const override {
    const auto entry = by_id_.find(customer);
    return entry == by_id_.end() ? nullptr : &customers_[entry->second];
  }
  const std::vector<Customer>& customers() const override { return customers_; }

  void read(const ConfigNode& root);

 private:
  void read_customer(const ConfigNode& node);
  void read_token(const ConfigNode& node, const std::optional<CustomerId>& owner);
  std::string read_token_hash(const ConfigNode& node);

  std::vector<Customer> customers_;
  std::unordered_map<CustomerId, std::size_t> by_id_;
  std::unordered_map<std::string, TokenEntry> tokens_;  // by SHA-256 in hex
};

void ParsedDirectory::read(const ConfigNode& root) {
  for (const ConfigNode& node : root.child("customers").items()) read_customer(node);
  for (const ConfigNode& node : root.child("operators").items()) read_token(node, std::nullopt);
}

void ParsedDirectory::read_customer(const ConfigNode& node) {
  const ConfigNode id_node = node.child("id");
  auto id = CustomerId::parse(id_node.required_text());
  if (!id) {
    id_node.note_error(id.error().message);
    node.accept_all();
    return;
  }
  Customer customer{*id, "", "hot-0", {}, 0};
  customer.name = node.child("name").text(id->text());
  customer.hot_shard = node.child("hot_shard").text("hot-0");
  customer.limits = read_limits(node.child("limits"));
  customer.assigned_ms = node.child("assigned_ms").integer(0, 0, kNever);
  if (!by_id_.emplace(*id, customers_.size()).second) {
    id_node.note_error(fmt::format("customer \"{}\" is given twice", id->text()));
  } else {
    customers_.push_back(std::move(customer));
  }
  for (const ConfigNode& token : node.child("tokens").items()) read_token(token, *id);
}

std::string ParsedDirectory::read_token_hash(const ConfigNode& node) {
  const ConfigNode plain = node.child("token");
  const ConfigNode hashed = node.child("token_sha256");
  if (plain.is_present() == hashed.is_present()) {
    node.note_error("give either token or token_sha256");
    return "";
  }
  if (plain.is_present()) {
    const std::string token = plain.required_text();
    if (token.size() > kTokenBytesMax) plain.note_error("the token is too long");
    return token.empty() ? "" : sha256_hex(token);
  }
  const std::string hash = hashed.required_text();
  if (is_sha256_hex(hash)) return hash;
  hashed.note_error("must be a SHA-256 in lower-case hex");
  return "";
}

void ParsedDirectory::read_token(const ConfigNode& node, const std::optional<CustomerId>& owner) {
  TokenEntry entry;
  entry.principal.customer = owner;
  const std::string hash = read_token_hash(node);
  const ConfigNode scope = node.child("scope");
  const std::string scope_text = scope.required_text();
  if (scope_text == "read") {
    entry.principal.scope = Scope::kRead;
  } else if (scope_text == "ingest" && owner) {
    entry.principal.scope = Scope::kIngest;
  } else if (!scope_text.empty()) {
    scope.note_error(owner ? "must be ingest or read" : "must be read: operators send no data");
  }
  if (const ConfigNode expires = node.child("expires"); expires.is_scalar()) {
    const auto time = parse_rfc3339(expires.text());
    if (time) {
      entry.expires_ms = *time;
    } else {
      expires.note_error("must be a time such as 2027-01-31T00:00:00Z");
    }
  }
  if (!hash.empty() && !tokens_.emplace(hash, std::move(entry)).second) {
    node.note_error("the token is given twice");
  }
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(a) == lower(b);
  });
}

}  // namespace

Result<std::shared_ptr<const Directory>> Directory::parse(std::string_view text, std::string name) {
  auto file = ConfigFile::parse(text, std::move(name));
  if (!file) return forward(file);
  auto directory = std::make_shared<ParsedDirectory>();
  directory->read(file->root());
  if (auto finished = file->finish(); !finished) return forward(finished);
  return directory;
}

Result<std::string_view> bearer_token(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer";
  if (authorization.size() > kScheme.size() &&
      equal_ignoring_case(authorization.substr(0, kScheme.size()), kScheme) &&
      authorization[kScheme.size()] == ' ') {
    std::string_view token = authorization.substr(kScheme.size());
    while (!token.empty() && token.front() == ' ') token.remove_prefix(1);
    while (!token.empty() && token.back() == ' ') token.remove_suffix(1);
    if (!token.empty() && token.find(' ') == std::string_view::npos) return token;
  }
  return fail(ErrorCode::kUnauthenticated, "an \"Authorization: Bearer TOKEN\" header is needed");
}

}  // namespace vigia::tenancy
