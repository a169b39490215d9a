#include "libs/tenancy/directory_document.hpp"

#include <iterator>

#include <fmt/format.h>
#include <simdjson.h>

#include "libs/base/check.hpp"
#include "libs/base/json_text.hpp"
#include "libs/base/rfc3339.hpp"
#include "libs/tenancy/hot_shards.hpp"
#include "libs/tenancy/internal/parsed_directory.hpp"

namespace vigia::tenancy {
namespace {

namespace ondemand = simdjson::ondemand;
using internal::ParsedDirectory;

/// Of what the document holds. Raised with every change of its members (are_of_one_version).
constexpr std::int64_t kDocumentVersion = 2;
constexpr std::string_view kOperators = "\"operators\":[";
constexpr std::int64_t kMsPerSecond = 1'000;

/// What is known of a customer when its members have been read, in whatever order they stand.
struct Draft {
  std::string id;
  Customer customer{CustomerId::provider(), "", "hot-0", {}, 0};
  std::vector<std::pair<TokenHash, ParsedDirectory::KnownToken>> tokens;
};

/// One pass over a document that may hold a million tokens.
class DocumentReader {
 public:
  explicit DocumentReader(ParsedDirectory& directory) : directory_(directory) {}

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
    if (!set_shards(draft.customer)) return;
    const auto place = directory_.add(std::move(draft.customer));
    if (!place) return refuse(draft.id, "the customer is given twice");
    for (auto& [hash, token] : draft.tokens) {
      token.customer = *place;
      add(hash, token, draft.id);
    }
  }

  /// Without one that is told of its shards everything of the customer's would go to a wrong one.
  bool set_shards(Customer& customer) {
    if (customer.hot_shards.empty()) return true;
    auto names = check_hot_shards(std::move(customer.hot_shards));
    if (!names) {
      leave_out(fmt::format("customer \"{}\"", customer.id.text()), names.error().message);
      return false;
    }
    customer.hot_shard = names->front();
    if (names->size() > 1) customer.hot_shards = *std::move(names);
    return true;
  }

  void read_member(ondemand::field& member, Draft& draft) {
    const std::string_view key = member.unescaped_key();
    if (key == "id") {
      draft.id = std::string_view(member.value());
    } else if (key == "name") {
      draft.customer.name = std::string_view(member.value());
    } else if (key == "hot_shard") {
      draft.customer.hot_shard = std::string_view(member.value());
    } else if (key == "hot_shards") {
      for (std::string_view name : ondemand::array(member.value())) {
        draft.customer.hot_shards.emplace_back(name);
      }
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

  void add(const TokenHash& hash, const ParsedDirectory::KnownToken& token,
           std::string_view whose) {
    if (!directory_.add(hash, token)) refuse(whose, "a token is given twice");
  }

  ParsedDirectory& directory_;
  std::size_t left_out_ = 0;
  std::string first_problem_;
  std::string doubled_;
  SnapshotMark mark_;
};

/// `{"document":N`
std::string_view version_of(std::string_view document) {
  return document.substr(0, document.find(','));
}

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

DocumentWriter::DocumentWriter(const SnapshotMark& mark) : text_("{") {
  member("document", kDocumentVersion);
  member("database", mark.database);
  member("revision", mark.revision);
  member("customers_removed", mark.customers_removed);
  member("confirmed_revision", mark.confirmed_revision);
  text_ += ",\"customers\":[";
}

void DocumentWriter::member(std::string_view name, std::string_view text) {
  fmt::format_to(std::back_inserter(text_), "{}\"{}\":", text_.back() == '{' ? "" : ",", name);
  append_json_text(text_, text);
}

void DocumentWriter::member(std::string_view name, std::int64_t value) {
  fmt::format_to(std::back_inserter(text_), "{}\"{}\":{}", text_.back() == '{' ? "" : ",", name,
                 value);
}

void DocumentWriter::customer(const Customer& customer) {
  CHECK(place_ != Place::kInOperators);
  if (place_ == Place::kInCustomer) {
    end_customer();
    text_ += ',';
  }
  place_ = Place::kInCustomer;
  is_first_token_ = true;
  text_ += '{';
  member("id", customer.id.text());
  member("name", customer.name);
  member("hot_shard", customer.hot_shard);
  if (!customer.hot_shards.empty()) {
    text_ += ",\"hot_shards\":[";
    for (const std::string& shard : customer.hot_shards) {
      if (text_.back() != '[') text_ += ',';
      append_json_text(text_, shard);
    }
    text_ += ']';
  }
  member("assigned_ms", customer.assigned_ms);
  text_ += ",\"limits\":{";
  for (const internal::LimitKey& key : internal::kLimitKeys) {
    member(key.name, static_cast<std::int64_t>(customer.limits.*key.value));
  }
  text_ += "},\"tokens\":[";
}

void DocumentWriter::end_customer() { text_ += "]}"; }

void DocumentWriter::operators() {
  CHECK(place_ != Place::kInOperators);
  if (place_ == Place::kInCustomer) end_customer();
  place_ = Place::kInOperators;
  is_first_token_ = true;
  text_ += "],";
  text_ += kOperators;
}

void DocumentWriter::token(std::string_view sha256_hex, Scope scope, std::int64_t expires_ms) {
  CHECK(place_ != Place::kBeforeCustomers);
  if (!is_first_token_) text_ += ',';
  is_first_token_ = false;
  text_ += '{';
  member("token_sha256", sha256_hex);
  member("scope", scope == Scope::kIngest ? "ingest" : "read");
  // A time that the form cannot name: the readers leave that token out, it never lives for ever.
  if (expires_ms != 0) {
    member("expires", format_rfc3339(expires_ms - expires_ms % kMsPerSecond).value_or(""));
  }
  text_ += '}';
}

std::string DocumentWriter::finish() {
  if (place_ != Place::kInOperators) operators();
  text_ += "]}";
  return std::move(text_);
}

Result<Directory::ReadDocument> read_document(std::string& text, std::string name) {
  if (!is_json_object(text)) {
    auto directory = Directory::parse(without_references(text), std::move(name));
    if (!directory) return forward(directory);
    return Directory::ReadDocument{*std::move(directory), 0, "", {}};
  }
  auto directory = std::make_shared<ParsedDirectory>();
  DocumentReader reader(*directory);
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
  return Directory::ReadDocument{std::move(directory), reader.left_out(), reader.first_problem(),
                                 reader.mark()};
}

std::string with_operator(std::string_view document, std::string_view sha256_hex) {
  // The last one is the member's: what a customer's name holds has its quotes escaped.
  const std::size_t at = document.rfind(kOperators);
  if (at == std::string_view::npos) return std::string(document);
  const std::size_t end = at + kOperators.size();
  const bool is_alone = document.substr(end).starts_with(']');
  return fmt::format(R"({}{{"token_sha256":"{}","scope":"read"}}{}{})", document.substr(0, end),
                     sha256_hex, is_alone ? "" : ",", document.substr(end));
}

bool are_of_one_version(std::string_view left, std::string_view right) {
  return version_of(left) == version_of(right);
}

}  // namespace vigia::tenancy
