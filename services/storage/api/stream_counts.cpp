#include "services/storage/api/stream_counts.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <xxhash.h>

#include "libs/base/json_text.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "services/storage/api/attribute_json.hpp"

namespace vigia::storage::api {
namespace {

using wire::otlp::Attributes;
using wire::otlp::KeyValueView;
using wire::otlp::LogRecordField;
using wire::otlp::ResourceField;

constexpr std::size_t kTextBytesMax = 1024;  // of a label; what is longer is shown cut
constexpr std::size_t kKnownMax = 10'000;
constexpr std::size_t kWindowsMax = 100'000;  // of all streams
constexpr std::size_t kWindowBytes = 2 * 24;  // of one, in a vector that grows

std::string cut(std::string text) {
  if (text.size() > kTextBytesMax) text.resize(kTextBytesMax);
  return text;
}

bool is_word(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Whether an attribute is shown under that name: with _ for what is no letter or digit, and before
/// a digit in front.
bool is_shown_as(std::string_view key, std::string_view name) {
  if (!key.empty() && key.front() >= '0' && key.front() <= '9') {
    if (!name.starts_with('_')) return false;
    name.remove_prefix(1);
  }
  return std::equal(
      key.begin(), key.end(), name.begin(), name.end(),
      [](char of_key, char of_name) { return (is_word(of_key) ? of_key : '_') == of_name; });
}

// How a stream's labels stand in a resource, and how they would stand there as others'.
constexpr std::array<std::string_view, 4> kOwn = {"customer.id", "environment", "node.id",
                                                  "service.name"};
constexpr std::array<std::string_view, 3> kAlike = {"customer_id", "node_id", "service_name"};

}  // namespace

StreamCounts::StreamCounts(const LogRequest& request, const CountWish& wish,
                           const store::WorkLimit& limit, lanes::AnswerMemory& memory)
    : request_(request),
      wish_(wish),
      memory_(memory),
      selector_(request.labels.sets, memory),
      looked_at_(limit) {}

bool StreamCounts::add(const store::LogRecordView& record) {
  const RecordParts parts = read_record(record.event.item);
  const auto wanted = selector_.wants(record.event, parts);
  if (!wanted) return end(wanted.error());
  if (!wanted->value_or(false)) {
    looked_at_.pass_by();
    return true;
  }
  const auto goes_on = take(record, parts);
  return goes_on ? *goes_on : end(goes_on.error());
}

bool StreamCounts::end(const Error& error) {
  error_ = tl::unexpected<Error>(error);
  return false;
}

Result<bool> StreamCounts::take(const store::LogRecordView& record, const RecordParts& parts) {
  const auto text = text_within(parts.body, made_text_, memory_);
  if (!text && text.error().code == ErrorCode::kOverLimit) return count_unread(record, parts);
  if (!text) return forward(text);
  looked_at_.add(text->size());
  const auto passes = request_.lines ? request_.lines->judge(*text) : std::optional<bool>(true);
  if (!passes.value_or(true)) return true;
  return count(record, parts, text->size(), passes.has_value());
}

/// One whose text has no room: no list is without it, but no number is made of it either.
Result<bool> StreamCounts::count_unread(const store::LogRecordView& record,
                                        const RecordParts& parts) {
  looked_at_.add(parts.body.size());
  return count(record, parts, parts.body.size(), false);
}

Result<bool> StreamCounts::count(const store::LogRecordView& record, const RecordParts& parts,
                                 std::size_t bytes, bool is_known) {
  if (wish_.unless &&
      (!is_known || says_named(record.event.item, LogRecordField::kAttributes.number))) {
    is_countable_ = false;
    return false;
  }
  const auto entry = entry_of(record.event.resource, parts.severity);
  if (!entry) return forward(entry);
  if (*entry == nullptr) return false;
  if (wish_.windows) {
    const auto added = add_to_window(**entry, record.place.time_ns, bytes);
    if (!added || !*added) return added;
  }
  (*entry)->counts.add(bytes);
  return true;
}

Result<bool> StreamCounts::add_to_window(Entry& entry, store::TimestampNs time_ns,
                                         std::size_t text_bytes) {
  const CountWindows& windows = *wish_.windows;
  const std::uint64_t number =
      time_ns <= windows.origin_ns ? 0 : (time_ns - windows.origin_ns - 1) / windows.width_ns + 1;
  // By time: the same as the one before, or a new one.
  if (entry.windows.empty() || entry.windows.back().number != number) {
    if (windows_ == kWindowsMax) {
      is_full_ = true;
      return false;
    }
    if (auto fits = memory_.add(kWindowBytes); !fits) return forward(fits);
    ++windows_;
    entry.windows.push_back({number, {}});
  }
  entry.windows.back().counts.add(text_bytes);
  return true;
}

Result<StreamCounts::Entry*> StreamCounts::entry_of(std::string_view resource,
                                                    std::string_view severity) {
  const Known known{XXH3_64bits(resource.data(), resource.size()),
                    XXH3_64bits(severity.data(), severity.size())};
  if (const auto at = known_.find(known); at != known_.end()) return at->second;
  if (wish_.unless && !is_plain(resource)) {
    is_countable_ = false;
    return nullptr;
  }
  Stream stream{store::stream_of(resource), cut(std::string(severity))};
  for (std::string* text :
       {&stream.labels.service_name, &stream.labels.node_id, &stream.labels.environment}) {
    *text = cut(std::move(*text));
  }
  auto at = streams_.find(stream);
  if (at == streams_.end()) {
    is_full_ = streams_.size() == wish_.streams_max;
    if (is_full_) return nullptr;
    constexpr std::size_t kNode = 512;
    const std::size_t bytes = kNode + stream.labels.service_name.size() +
                              stream.labels.node_id.size() + stream.labels.environment.size() +
                              stream.severity.size();
    if (auto fits = memory_.add(bytes); !fits) return forward(fits);
    at = streams_.emplace(std::move(stream), Entry()).first;
  }
  // Of ever new resources not all are kept.
  if (known_.size() == kKnownMax) known_.clear();
  known_.emplace(known, &at->second);
  return &at->second;
}

bool StreamCounts::says_named(std::string_view message, std::uint32_t attributes) const {
  if (wish_.unless->empty()) return false;
  bool is_said = false;
  wire::otlp::for_each_attribute(Attributes{message, attributes}, [&](const KeyValueView& said) {
    is_said = is_said || std::any_of(wish_.unless->begin(), wish_.unless->end(),
                                     [&](const auto& name) { return is_shown_as(said.key, name); });
  });
  return is_said;
}

/// Whether the labels of its stream are what everybody makes of them: short texts, each said once.
bool StreamCounts::is_plain(std::string_view resource) const {
  if (says_named(resource, ResourceField::kAttributes.number)) return false;
  bool is_plain = true;
  std::array<bool, kOwn.size()> is_said{};
  wire::otlp::for_each_attribute(
      Attributes{resource, ResourceField::kAttributes.number}, [&](const KeyValueView& said) {
        const auto is_key = [&](std::string_view name) { return name == said.key; };
        if (std::any_of(kAlike.begin(), kAlike.end(), is_key)) is_plain = false;
        const auto own = std::find_if(kOwn.begin(), kOwn.end(), is_key);
        if (own == kOwn.end()) return;
        const auto text = plain_string(said.value);
        bool& is_there = is_said.at(static_cast<std::size_t>(own - kOwn.begin()));
        if (!text || text->size() > kTextBytesMax || is_there) is_plain = false;
        is_there = true;
      });
  return is_plain;
}

Result<void> StreamCounts::write(AnswerBody& body) const {
  for (const auto& [stream, entry] : streams_) {
    std::string item = fmt::format(
        R"({{"service_name":{},"node_id":{},"environment":{},"severity":{},"records":{},"bytes":{})",
        json_text(stream.labels.service_name), json_text(stream.labels.node_id),
        json_text(stream.labels.environment), json_text(stream.severity), entry.counts.records,
        entry.counts.bytes);
    if (wish_.windows) {
      item += ",\"windows\":[";
      const char* between = "";
      for (const Window& window : entry.windows) {
        item += fmt::format("{}[{},{},{}]", between, window.number, window.counts.records,
                            window.counts.bytes);
        between = ",";
      }
      item += ']';
    }
    item += '}';
    if (auto added = body.add(item); !added) return added;
  }
  return {};
}

}  // namespace vigia::storage::api
