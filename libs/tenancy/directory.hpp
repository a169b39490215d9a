// Who may do what: customers, their tokens and limits, and the operators. One snapshot, never
// changed once made.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"

namespace vigia::tenancy {

enum class Scope : std::uint8_t { kIngest, kRead };

/// What a customer may send and ask. Of the first five, 0 is no limit; of the two after them, what
/// a file leaves out or gives as 0 is the default. Of those that bound queries 0 is the router's
/// own, which its configuration has (docs/decisions/0035-what-one-query-may-take.md).
struct Limits {
  std::uint64_t points_per_second = 0;
  std::uint64_t spans_per_second = 0;
  std::uint64_t log_records_per_second = 0;
  std::uint64_t bytes_per_second = 0;  ///< of bodies, unpacked
  std::uint64_t active_series = 0;
  std::uint64_t label_value_bytes = 2048;  ///< of one label's value
  std::uint64_t labels_per_series = 64;    ///< besides the name, `le` and `quantile`
  // Of one query:
  std::uint64_t query_range_seconds = 0;  ///< from the earliest to the latest time that it touches
  std::uint64_t query_steps = 0;          ///< at which it is evaluated
  std::uint64_t query_series = 0;   ///< that it reads, where they are counted, or answers with
  std::uint64_t query_samples = 0;  ///< that it holds of a store at once
  std::uint64_t query_bytes = 0;    ///< of its answer
  std::uint64_t query_seconds = 0;
  std::uint64_t log_query_lines = 0;        ///< that it looks at
  std::uint64_t log_query_bytes = 0;        ///< of their texts
  std::uint64_t log_query_cpu_seconds = 0;  ///< of one processor
};

struct Customer {
  CustomerId id;
  std::string name;
  std::string hot_shard = "hot-0";
  Limits limits;
  std::int64_t assigned_ms = 0;  ///< since when its shards hold this customer; 0: always
  /// Where its series are split by node (shard_of_node): all its shards, hot_shard the first. Empty
  /// where hot_shard has all.
  std::vector<std::string> hot_shards = {};

  /// All of them, one at least.
  std::vector<std::string> shards() const {
    return hot_shards.empty() ? std::vector{hot_shard} : hot_shards;
  }
};

/// SHA-256 of a bearer token: what is kept of it.
using TokenHash = std::array<std::uint8_t, 32>;

/// kUnauthenticated for a text that nobody's token can be: empty, or longer than 4 KiB.
Result<TokenHash> hash_token(std::string_view token);

/// Who a token belongs to. Without a customer it is an operator, who sees all.
struct TokenOwner {
  std::optional<CustomerId> customer;
  Scope scope = Scope::kIngest;
  bool is_operator() const { return !customer.has_value(); }
};

/// Where a snapshot stands in the history of the database that it was made of. Of what has no
/// history (a customers.yaml, a monitor of an earlier version) nothing is known: "" and 0.
struct SnapshotMark {
  std::string database;                 ///< random, made with the database
  std::int64_t revision = 0;            ///< grows with every change of customers or tokens
  std::int64_t customers_removed = 0;   ///< how many were ever removed
  std::int64_t confirmed_revision = 0;  ///< a person has confirmed that this one is right
};

/// Thread contract: immutable, so any thread. Shared by those who read it and the source that
/// replaces it.
class Directory {
 public:
  /// Reads a customers.yaml. Tokens given in clear are hashed at once; `token_sha256` is taken as
  /// it is. kInvalid names file, line and key: a doubled customer id or token, a bad id, an unknown
  /// scope, a bad expiry.
  static Result<std::shared_ptr<const Directory>> parse(std::string_view text, std::string name);

  /// What a document of the monitor (directory_document.hpp) is read as.
  struct ReadDocument {
    std::shared_ptr<const Directory> directory;
    std::size_t left_out = 0;   ///< customers and tokens that cannot be read
    std::string first_problem;  ///< of these
    SnapshotMark mark{};
  };
  virtual ~Directory() = default;

  /// The owner of a bearer token at that time (wall clock). kUnauthenticated for one that is
  /// unknown or expired, with the same message for both.
  Result<TokenOwner> authenticate(std::string_view token, std::int64_t now_ms) const;
  /// As authenticate, for who has hashed the token already.
  virtual Result<TokenOwner> owner_of(const TokenHash& token, std::int64_t now_ms) const = 0;
  /// Null where there is no such customer.
  virtual const Customer* find(const CustomerId& customer) const = 0;
  virtual const std::vector<Customer>& customers() const = 0;
};

}  // namespace vigia::tenancy
