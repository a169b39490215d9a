#include "services/storage/store/cassandra/block_search.hpp"

#include <algorithm>

#include <protozero/exception.hpp>

#include "services/storage/store/cassandra/event_items.hpp"
#include "services/storage/store/cassandra/span_block_writer.hpp"
#include "services/storage/store/span_tags.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;

constexpr TimestampNs kTimeMost = INT64_MAX;
constexpr TimestampNs kDayNs = TimestampNs{kSlotsOfDay} * kSlotNs;
// Beside TraceSearchBounds::trace_spans: of spans of some MiB each fewer.
constexpr std::size_t kTraceBytes = 512U << 20U;
constexpr std::size_t kOriginsKnown = 50'000;

// The last place before it.
TracePlace before(TracePlace place) {
  for (auto at = place.trace_id.rbegin(); at != place.trace_id.rend(); ++at) {
    if (*at != '\0') {
      *at = static_cast<char>(static_cast<unsigned char>(*at) - 1);
      return place;
    }
    *at = '\xff';
  }
  return {place.time_ns, ""};
}

// Which of the query's tags a resource and a scope have.
class TagsOfOrigin final : public TagVisitor {
 public:
  explicit TagsOfOrigin(const std::vector<TagMatch>& tags)
      : tags_(tags), has_(tags.size(), false) {}
  bool on_tag(std::string_view key, const TagValue& value) override {
    for (std::size_t i = 0; i < tags_.size(); ++i) {
      if (tags_[i].key == key && value.as_text(scratch_) == tags_[i].value) has_[i] = true;
    }
    return true;
  }
  std::vector<bool> take() { return std::move(has_); }

 private:
  const std::vector<TagMatch>& tags_;
  std::vector<bool> has_;
  std::string scratch_;
};

}  // namespace

BlockSearch::BlockSearch(const SpanTables& tables, const CustomerId& customer,
                         const TraceQuery& query, std::uint32_t kept_day,
                         const TraceSearchBounds& bounds)
    : tables_(tables),
      customer_(customer),
      query_(query),
      kept_day_(kept_day),
      bounds_(bounds),
      service_(key_text(query.service)),
      is_sure_(query.operation.empty() && query.tags.empty() && !is_made_text(service_)),
      operation_(hash_operation(query.operation)),
      from_ns_(std::max(query.from_ns, TimestampNs{kept_day} * kDayNs)),
      to_ns_(std::min(query.to_ns, kTimeMost)),
      origins_(tables.session, tables.statements, customer),
      left_(query.traces_max) {
  origins_.use_limit(tables.limit);
  for (const TagMatch& tag : query.tags) tags_.push_back(hash_tag(tag.key, tag.value));
  if (query.after) to_ns_ = std::min(to_ns_, query.after->time_ns);
}

Result<TraceEnd> BlockSearch::run(const std::vector<std::uint32_t>& days,
                                  const EventStore::TraceVisit& visit, const WorkLimit& limit) {
  if (left_ == 0 || from_ns_ > to_ns_) return TraceEnd{};
  const Walk walk{visit, limit};
  for (auto day = days.rbegin(); day != days.rend(); ++day) {
    if (*day < day_of_ns(from_ns_) || *day > day_of_ns(to_ns_)) continue;
    const auto went = walk_day(*day, walk);
    if (!went) return forward(went);
    if (*went != Went::kOn) return TraceEnd{*went == Went::kEnough, looked_at_};
  }
  return end_of_all();
}

// Not whole where something could not be looked through: said once, so that who goes on behind the
// last place comes to an end.
TraceEnd BlockSearch::end_of_all() const {
  const TracePlace last{query_.from_ns, std::string(kTraceIdBytes, '\xff')};
  if (!has_left_out_ || !is_behind(last)) return TraceEnd{};
  return TraceEnd{false, last};
}

// Where the limit broke a question off, what lies before the place has been looked at.
Result<BlockSearch::Went> BlockSearch::ended(const Error& error, const TracePlace& place) {
  if (tables_.limit == nullptr || !tables_.limit->is_over()) return tl::unexpected<Error>(error);
  return limited_before(place);
}

BlockSearch::Went BlockSearch::limited_before(const TracePlace& place) {
  looked_at_ = before(place);
  if (!is_behind(*looked_at_)) looked_at_ = query_.after;
  return Went::kLimited;
}

Result<BlockSearch::Went> BlockSearch::walk_day(std::uint32_t day, const Walk& walk) {
  const TimestampNs first_ns = std::max(from_ns_, TimestampNs{day} * kDayNs);
  const TimestampNs last_ns = std::min(to_ns_, (TimestampNs{day} + 1) * kDayNs - 1);
  if (walk.limit.is_over()) return limited_before({last_ns, ""});
  const EventPlace place{PlaceKind::kSpanBlocks, day, service_, index_slot_of(first_ns)};
  const auto parts = tables_.places.list(customer_, place, index_slot_of(last_ns), tables_.limit);
  if (!parts) return ended(parts.error(), {last_ns, ""});
  for (auto end = parts->rbegin(); end != parts->rend();) {
    const std::int32_t slot = end->slot;
    std::vector<Shard> shards;
    for (; end != parts->rend() && end->slot == slot; ++end) shards.push_back(end->shard);
    const auto went = walk_slot(slot, shards, walk);
    if (!went || *went != Went::kOn) return went;
  }
  return Went::kOn;
}

Result<BlockSearch::Went> BlockSearch::walk_slot(std::int32_t slot,
                                                 const std::vector<Shard>& shards,
                                                 const Walk& walk) {
  const TimestampNs last_ns =
      (static_cast<TimestampNs>(slot) + 1) * (kDayNs / kIndexSlotsOfDay) - 1;
  auto parts = open(slot, shards, bucket_of(from_ns_), bucket_of(to_ns_));
  if (!parts) return ended(parts.error(), {std::min(last_ns, to_ns_), ""});
  const auto day = static_cast<std::uint32_t>(slot) / kIndexSlotsOfDay;
  while (true) {
    std::optional<std::int64_t> latest;
    for (const Part& part : *parts) latest = std::max(latest, part.bucket);
    if (!latest) return Went::kOn;
    Bucket bucket{slot, day, *latest};
    auto went = gather(*parts, bucket, walk);
    if (went && *went == Went::kOn) went = walk_bucket(bucket, shards, walk);
    if (!went || *went != Went::kOn) return went;
  }
}

// Where not all of it had room it is read again for what lies behind.
Result<BlockSearch::Went> BlockSearch::walk_bucket(Bucket& bucket, const std::vector<Shard>& shards,
                                                   const Walk& walk) {
  while (true) {
    auto went = give(bucket, walk);
    if (!went || *went != Went::kOn || !bucket.has_cut) return went;
    bucket.behind = bucket.found.back();
    bucket.found.clear();
    bucket.has_cut = false;
    auto parts = open(bucket.slot, shards, bucket.number, bucket.number);
    if (!parts) return ended_within(parts.error(), bucket);
    went = gather(*parts, bucket, walk);
    if (!went || *went != Went::kOn) return went;
  }
}

Result<std::vector<BlockSearch::Part>> BlockSearch::open(std::int32_t slot,
                                                         const std::vector<Shard>& shards,
                                                         std::int64_t first, std::int64_t last) {
  std::vector<Part> parts;
  for (const Shard shard : shards) {
    BoundCells cells;
    cells.add_text(customer_.text()).add_blob(service_).add_int(slot).add_int(shard.number);
    cells.add_bigint(first).add_bigint(last);
    Part part;
    part.rows = std::make_unique<Rows>(tables_.session, *tables_.statements.read_span_blocks,
                                       std::move(cells), customer_.text(), tables_.limit);
    if (auto begun = advance(part); !begun) return forward(begun);
    parts.push_back(std::move(part));
  }
  return parts;
}

Result<void> BlockSearch::advance(Part& part) {
  while (true) {
    auto row = part.rows->next();
    if (!row) return forward(row);
    part.bucket.reset();
    if (!*row) return {};
    const std::int64_t bucket = (*row)->read_bigint();
    part.block = (*row)->read_blob();
    if ((*row)->ok()) {
      part.bucket = bucket;
      return {};
    }
    ++tables_.damaged;
  }
}

BlockSearch::Went BlockSearch::limited_within(const Bucket& bucket) {
  if (!bucket.behind) return limited_before({std::min(bucket_last(bucket.number), to_ns_), ""});
  looked_at_ = bucket.behind;
  return Went::kLimited;
}

Result<BlockSearch::Went> BlockSearch::ended_within(const Error& error, const Bucket& bucket) {
  if (tables_.limit == nullptr || !tables_.limit->is_over()) return tl::unexpected<Error>(error);
  return limited_within(bucket);
}

// What of the bucket may be asked for. The limit is looked at before each block: most of those that
// a search for something rare goes through hold nothing of it.
Result<BlockSearch::Went> BlockSearch::gather(std::vector<Part>& parts, Bucket& bucket,
                                              const Walk& walk) {
  for (Part& part : parts) {
    while (part.bucket == bucket.number) {
      if (walk.limit.is_over()) return limited_within(bucket);
      if (auto added = add_block(part.block, bucket); !added)
        return ended_within(added.error(), bucket);
      if (bucket.found.size() > 2 * bounds_.bucket_spans) put_in_order(bucket);
      if (auto next = advance(part); !next) return ended_within(next.error(), bucket);
    }
  }
  put_in_order(bucket);
  return Went::kOn;
}

Result<void> BlockSearch::add_block(const std::string& block, Bucket& bucket) {
  BlockSpanReader reader(bucket.number, block);
  for (BlockSpan span; reader.next(span);) {
    if (span.time_ns < from_ns_ || span.time_ns > to_ns_) continue;
    TracePlace place{span.time_ns, std::string(span.trace_id)};
    if (bucket.behind && !bucket.behind->is_before(place)) continue;
    const auto may = may_be(span, bucket.day);
    if (!may) return forward(may);
    if (*may) bucket.found.push_back(std::move(place));
  }
  if (!reader.outcome()) ++tables_.damaged;
  return {};
}

Result<bool> BlockSearch::may_be(const BlockSpan& span, std::uint32_t day) {
  if (span.duration_ns < query_.shortest_ns || span.duration_ns > query_.longest_ns) return false;
  if (!query_.operation.empty() && span.operation != operation_) return false;
  const std::vector<bool>* of_origin = nullptr;
  for (std::size_t i = 0; i < tags_.size(); ++i) {
    if (span.may_have(tags_[i])) continue;
    if (of_origin == nullptr) {
      const auto found = tags_of(span, day);
      if (!found) return forward(found);
      of_origin = *found;
    }
    if (!of_origin->at(i)) return false;
  }
  return true;
}

Result<const std::vector<bool>*> BlockSearch::tags_of(const BlockSpan& span, std::uint32_t day) {
  std::pair<std::string, std::string> key(span.resource, span.scope);
  const auto at = origin_tags_.find(key);
  if (at != origin_tags_.end()) return &at->second;
  if (origin_tags_.size() >= kOriginsKnown) origin_tags_.clear();
  origins_.make_room();
  TagsOfOrigin tags(query_.tags);
  const auto resource = origins_.find(day, span.resource);
  const auto scope = resource ? origins_.find(day, span.scope) : resource;
  try {
    if (scope) visit_origin_tags(resource->bytes, scope->bytes, tags);
  } catch (const protozero::exception&) {
    ++tables_.damaged;
  }
  // What is not there has no tags; that it is damage is counted where the span is read.
  if (!scope && scope.error().code != ErrorCode::kCorrupt) return forward(scope);
  return &origin_tags_.emplace(std::move(key), tags.take()).first->second;
}

// The latest first, each once, and no more than have room.
void BlockSearch::put_in_order(Bucket& bucket) const {
  auto& found = bucket.found;
  std::sort(found.begin(), found.end(),
            [](const TracePlace& left, const TracePlace& right) { return left.is_before(right); });
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (found.size() <= bounds_.bucket_spans) return;
  found.resize(bounds_.bucket_spans);
  bucket.has_cut = true;
}

Result<BlockSearch::Went> BlockSearch::give(Bucket& bucket, const Walk& walk) {
  for (const TracePlace& place : bucket.found) {
    const auto went = take(place, walk);
    if (!went || *went != Went::kOn) return went;
  }
  return Went::kOn;
}

// The first place of a trace that has all is its latest: the walk goes from the latest on.
Result<BlockSearch::Went> BlockSearch::take(const TracePlace& place, const Walk& walk) {
  if (!is_behind(place) || given_.contains(place.trace_id)) return Went::kOn;
  if (walk.limit.is_over()) return limited_before(place);
  if (!is_sure_) {
    const auto has = has_span(place.trace_id, {place.time_ns, place.time_ns}, walk);
    if (!has) return ended(has.error(), place);
    if (!*has) return walk.limit.is_over() ? limited_before(place) : Went::kOn;
  }
  const auto given = was_given(place, walk);
  if (!given) return ended(given.error(), place);
  if (walk.limit.is_over() && !*given && query_.after) return limited_before(place);
  given_.insert(place.trace_id);
  if (*given) return Went::kOn;
  const bool goes_on = walk.visit(place);
  return goes_on && --left_ > 0 ? Went::kOn : Went::kEnough;
}

// On a page before: it has a span there that has all that is asked for.
Result<bool> BlockSearch::was_given(const TracePlace& place, const Walk& walk) {
  if (!query_.after) return false;
  const bool is_id_before = place.trace_id <= query_.after->trace_id;
  const TimestampNs first_ns = query_.after->time_ns + (is_id_before ? 0 : 1);
  if (first_ns > query_.to_ns) return false;
  return has_span(place.trace_id, {first_ns, query_.to_ns}, walk);
}

// One with all that is asked for. False where the limit ends it.
Result<bool> BlockSearch::has_span(const std::string& trace_id, const FiledTimes& times,
                                   const Walk& walk) {
  TraceRows rows(tables_, origins_, customer_, trace_id, times);
  std::size_t bytes = 0;
  for (std::size_t spans = 0; !walk.limit.is_over(); ++spans) {
    const auto row = rows.next(kept_day_);
    if (!row) return forward(row);
    if (!*row) return false;
    bytes += (*row)->event.item.size();
    if (spans == bounds_.trace_spans || bytes > kTraceBytes) {
      has_left_out_ = true;
      return false;
    }
    try {
      if (has_all(query_, (*row)->event)) return true;
    } catch (const protozero::exception&) {
      ++tables_.damaged;
    }
  }
  return false;
}

}  // namespace vigia::storage::store::cassandra
