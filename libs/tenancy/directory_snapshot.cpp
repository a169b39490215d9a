// The monitor's snapshot: JSON that may hold a million tokens, read in one pass.
#include <fmt/format.h>
#include <simdjson.h>

#include "libs/base/rfc3339.hpp"
#include "libs/tenancy/directory.hpp"
#include "libs/tenancy/internal/parsed_directory.hpp"

namespace vigia::tenancy {
namespace {

namespace ondemand = simdjson::ondemand;
using internal::ParsedDirectory;

/// What is known of a customer when its members have been read, in whatever order they stand.
struct Draft {
  std::string id;
  Customer customer{CustomerId::provider(), "", "hot-0", {}, 0};
  std::vector<std::pair<TokenHash, ParsedDirectory::Token>> tokens;
};

class SnapshotReader {
 public:
  explicit SnapshotReader(ParsedDirectory& directory) : directory_(directory) {}

  void read(ondemand::object root) {
    for (ondemand::field member : root) {
      const std::string_view key = member.unescaped_key();
      if (key == "customers") {
        for (ondemand::object customer : member.value().get_array()) read_customer(customer);
      } else if (key == "operators") {
        Draft operators;
        read_tokens(member.value(), true, "operators", operators);
        for (const auto& [hash, token] : operators.tokens) add(hash, token, "operators");
      } else {
        read_mark(key, member);
      }
    }
  }
  const SnapshotMark& mark() const { return mark_; }
  /// What makes the whole document unfit: "" where nothing does.
  const std::string& doubled() const { return doubled_; }
  std::size_t left_out() const { return left_out_; }
  const std::string& first_problem() const { return first_problem_; }

 private:
  void leave_out(std::string_view whose, std::string_view why) {
    if (left_out_++ == 0) first_problem_ = fmt::format("{}: {}", whose, why);
  }

  void read_mark(std::string_view key, ondemand::field& member) {
    if (key == "database") {
      mark_.database = std::string_view(member.value());
    } else if (key == "revision") {
      mark_.revision = std::int64_t(member.value());
    } else if (key == "customers_removed") {
      mark_.customers_removed = std::int64_t(member.value());
    } else if (key == "confirmed_revision") {
      mark_.confirmed_revision = std::int64_t(member.value());
    }
  }

  /// One of the two is wrong, and which of them nobody knows: to take either may hand one
  /// customer's data to another.
  void refuse(std::string_view whose, std::string_view why) {
    if (doubled_.empty()) doubled_ = fmt::format("{}: {}", whose, why);
  }

  void read_customer(ondemand::object node) {
    // The members stand in whatever order; tokens may come before the id that they belong to.
    Draft draft;
    for (ondemand::field member : node) read_member(member, draft);
    auto id = CustomerId::parse(draft.id);
    if (!id) return leave_out(fmt::format("customer \"{}\"", draft.id), id.error().message);
    draft.customer.id = *std::move(id);
    if (draft.customer.name.empty()) draft.customer.name = draft.id;
    const auto place = directory_.add(std::move(draft.customer));
    if (!place) return refuse(draft.id, "the customer is given twice");
    for (auto& [hash, token] : draft.tokens) {
      token.customer = *place;
      add(hash, token, draft.id);
    }
  }

  void read_member(ondemand::field& member, Draft& draft) {
    const std::string_view key = member.unescaped_key();
    if (key == "id") {
      draft.id = std::string_view(member.value());
    } else if (key == "name") {
      draft.customer.name = std::string_view(member.value());
    } else if (key == "hot_shard") {
      draft.customer.hot_shard = std::string_view(member.value());
    } else if (key == "assigned_ms") {
      draft.customer.assigned_ms = std::int64_t(member.value());
    } else if (key == "limits") {
      read_limits(member.value(), draft.customer.limits);
    } else if (key == "tokens") {
      read_tokens(member.value(), false, draft.id, draft);
    }
  }

  static void read_limits(ondemand::object node, Limits& limits) {
    for (ondemand::field member : node) {
      const std::string_view name = member.unescaped_key();
      for (const internal::LimitKey& key : internal::kLimitKeys) {
        if (key.name != name) continue;
        const std::uint64_t given = member.value();
        if (given > 0) limits.*key.value = given;
      }
    }
  }

  void read_tokens(ondemand::array nodes, bool is_operators, std::string_view whose, Draft& draft) {
    for (ondemand::object node : nodes) {
      std::optional<TokenHash> hash;
      std::optional<Scope> scope;
      std::optional<std::int64_t> expires_ms = internal::kNever;
      for (ondemand::field member : node) {
        const std::string_view key = member.unescaped_key();
        if (key == "token_sha256") {
          hash = internal::parse_token_hash(std::string_view(member.value()));
        } else if (key == "scope") {
          const std::string_view text = member.value();
          if (text == "read") scope = Scope::kRead;
          if (text == "ingest" && !is_operators) scope = Scope::kIngest;
        } else if (key == "expires") {
          expires_ms = parse_rfc3339(std::string_view(member.value()));
        }
      }
      // All three or none: a token whose end cannot be read must not be one without an end.
      if (hash && scope && expires_ms) {
        draft.tokens.push_back({*hash, {ParsedDirectory::kOperator, *scope, *expires_ms}});
      } else {
        leave_out(whose, "a token without a good token_sha256, scope or expires");
      }
    }
  }

  void add(const TokenHash& hash, const ParsedDirectory::Token& token, std::string_view whose) {
    if (!directory_.add(hash, token)) refuse(whose, "a token is given twice");
  }

  ParsedDirectory& directory_;
  std::size_t left_out_ = 0;
  std::string first_problem_;
  std::string doubled_;
  SnapshotMark mark_;
};

/// What comes over the network names no environment variables of ours: "$$" is a plain dollar.
std::string without_references(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '$') out += '$';
    out += c;
  }
  return out;
}

bool is_json_object(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin != std::string_view::npos && text[begin] == '{';
}

}  // namespace

Result<Directory::Snapshot> Directory::parse_snapshot(std::string& text, std::string name) {
  if (!is_json_object(text)) {
    auto directory = parse(without_references(text), std::move(name));
    if (!directory) return forward(directory);
    return Snapshot{*std::move(directory), 0, "", {}};
  }
  auto directory = std::make_shared<ParsedDirectory>();
  SnapshotReader reader(*directory);
  const std::size_t size = text.size();
  text.resize(size + simdjson::SIMDJSON_PADDING);
  std::string problem;
  try {
    ondemand::parser parser;
    ondemand::document document = parser.iterate(text.data(), size, text.size());
    reader.read(document.get_object());
    const bool is_at_end = document.current_location().error() == simdjson::OUT_OF_BOUNDS;
    if (!is_at_end) problem = "something follows the object";
  } catch (const simdjson::simdjson_error& error) {
    problem = error.what();
  }
  text.resize(size);
  // One bad entry is left out and told, so that it does not keep the changes of all the others
  // away; an ambiguous one makes the document worthless.
  if (problem.empty()) problem = reader.doubled();
  if (!problem.empty()) return fail(ErrorCode::kInvalid, fmt::format("{}: {}", name, problem));
  return Snapshot{std::move(directory), reader.left_out(), reader.first_problem(), reader.mark()};
}

}  // namespace vigia::tenancy
