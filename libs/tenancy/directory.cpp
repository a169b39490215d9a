#include "libs/tenancy/directory.hpp"

#include <fmt/format.h>

#include "libs/base/hex.hpp"
#include "libs/base/rfc3339.hpp"
#include "libs/net/bearer_token.hpp"
#include "libs/service/config.hpp"
#include "libs/tenancy/hot_shards.hpp"
#include "libs/tenancy/internal/parsed_directory.hpp"

namespace vigia::tenancy {
namespace {

using internal::kCountMax;
using internal::kNever;
using internal::ParsedDirectory;
using service::ConfigFile;
using service::ConfigNode;

constexpr std::size_t kTokenBytesMax = 4096;

Limits read_limits(const ConfigNode& node) {
  Limits limits;
  for (const internal::LimitKey& key : internal::kLimitKeys) {
    const std::int64_t given = node.child(key.name).integer(0, 0, kCountMax);
    if (given > 0) limits.*key.value = static_cast<std::uint64_t>(given);
  }
  return limits;
}

std::string read_token_hash(const ConfigNode& node) {
  const ConfigNode plain = node.child("token");
  const ConfigNode hashed = node.child("token_sha256");
  if (plain.is_present() == hashed.is_present()) {
    node.note_error("give either token or token_sha256");
    return "";
  }
  if (plain.is_present()) {
    const std::string token = plain.required_text();
    if (token.size() > kTokenBytesMax) plain.note_error("the token is too long");
    if (!token.empty() && !net::is_token68(token))
      plain.note_error("holds characters that no Authorization header carries");
    return token.empty() ? "" : sha256_hex(token);
  }
  return hashed.required_text();
}

void read_token(const ConfigNode& node, std::uint32_t owner, ParsedDirectory& directory) {
  const bool is_operator = owner == ParsedDirectory::kOperator;
  ParsedDirectory::KnownToken token{owner, Scope::kRead, kNever};
  const auto hash = internal::parse_token_hash(read_token_hash(node));
  if (const ConfigNode hashed = node.child("token_sha256"); hashed.is_present() && !hash) {
    hashed.note_error("must be a SHA-256 in lower-case hex");
  }
  const ConfigNode scope = node.child("scope");
  const std::string scope_text = scope.required_text();
  if (scope_text == "ingest" && !is_operator) {
    token.scope = Scope::kIngest;
  } else if (!scope_text.empty() && scope_text != "read") {
    scope.note_error(is_operator ? "must be read: operators send no data"
                                 : "must be ingest or read");
  }
  if (const ConfigNode expires = node.child("expires"); expires.is_scalar()) {
    const auto time = parse_rfc3339(expires.text());
    if (time) {
      token.expires_ms = *time;
    } else {
      expires.note_error("must be a time such as 2027-01-31T00:00:00Z");
    }
  }
  // Whose it is nobody could say: the file is refused rather than one of the two owners chosen.
  if (hash && !directory.add(*hash, token)) node.note_error("the token is given twice");
}

void read_shards(const ConfigNode& node, Customer& customer) {
  const ConfigNode one = node.child("hot_shard");
  const ConfigNode several = node.child("hot_shards");
  customer.hot_shard = one.text("hot-0");
  if (!several.is_present()) return;
  if (one.is_present()) one.note_error("is given beside hot_shards: one of the two is meant");
  auto names = check_hot_shards(several.text_list());
  if (!names) return several.note_error(names.error().message);
  customer.hot_shard = names->front();
  if (names->size() > 1) customer.hot_shards = *std::move(names);
}

void read_customer(const ConfigNode& node, ParsedDirectory& directory) {
  const ConfigNode id_node = node.child("id");
  auto id = CustomerId::parse(id_node.required_text());
  if (!id) {
    id_node.note_error(id.error().message);
    // One error for the entry: its other keys are not looked at, and would be called unknown.
    node.accept_all();
    return;
  }
  Customer customer{*id, "", "hot-0", {}, 0, {}};
  customer.name = node.child("name").text(id->text());
  read_shards(node, customer);
  customer.limits = read_limits(node.child("limits"));
  customer.assigned_ms = node.child("assigned_ms").integer(0, 0, kNever);
  const auto place = directory.add(std::move(customer));
  if (!place) id_node.note_error(fmt::format("customer \"{}\" is given twice", id->text()));
  for (const ConfigNode& token : node.child("tokens").items()) {
    read_token(token, place.value_or(0), directory);
  }
}

}  // namespace

Result<std::shared_ptr<const Directory>> Directory::parse(std::string_view text, std::string name) {
  auto file = ConfigFile::parse(text, std::move(name));
  if (!file) return forward(file);
  auto directory = std::make_shared<ParsedDirectory>();
  const ConfigNode root = file->root();
  for (const ConfigNode& node : root.child("customers").items()) read_customer(node, *directory);
  for (const ConfigNode& node : root.child("operators").items()) {
    read_token(node, ParsedDirectory::kOperator, *directory);
  }
  if (auto finished = file->finish(); !finished) return forward(finished);
  return directory;
}

/// By the hash: how long a look-up takes tells nothing of a token that is nearly right.
Result<TokenOwner> Directory::authenticate(std::string_view token, std::int64_t now_ms) const {
  auto hash = hash_token(token);
  if (!hash) return forward(hash);
  return owner_of(*hash, now_ms);
}

Result<TokenHash> hash_token(std::string_view token) {
  // A longer one is not hashed: nobody has it.
  constexpr std::size_t kTokenBytesMax = 4096;
  if (token.empty() || token.size() > kTokenBytesMax) return internal::unknown_token();
  return sha256(token);
}

}  // namespace vigia::tenancy
