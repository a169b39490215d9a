#include "services/storage/store/rocksdb/events/span_search.hpp"

#include <algorithm>

#include "services/storage/store/rocksdb/events/event_key.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/span_tags.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

// Beside kTraceSpansLookedAt: of spans of some MiB each fewer.
constexpr std::size_t kTraceBytesLookedAt = 512U << 20U;
// Over so many spans of a trace one steps more cheaply than by looking for what lies behind them.
constexpr std::size_t kStepsBeforeSeek = 16;

TracePlace place_of(const FoundTrace& trace) {
  return {trace.latest_ns, std::string(trace.id.data(), trace.id.size())};
}

bool is_before(const FoundTrace& left, const FoundTrace& right) {
  return left.latest_ns != right.latest_ns ? left.latest_ns > right.latest_ns
                                           : std::string_view(left.id.data(), left.id.size()) <
                                                 std::string_view(right.id.data(), right.id.size());
}

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

}  // namespace

SpanSearch::SpanSearch(kv::OrderedStore& store, customers::CustomerNumber customer,
                       const TraceQuery& query, const EventStore::TraceVisit& visit,
                       DamagedItems& damaged, const SearchBounds& bounds)
    : store_(store),
      customer_(customer),
      query_(query),
      visit_(visit),
      damaged_(damaged),
      bounds_(bounds),
      reader_(store, kv::Family::kSpans, customer),
      filter_(query) {
  if (query.after) filter_.to_ns = std::min(filter_.to_ns, query.after->time_ns);
}

Result<TraceEnd> SpanSearch::run(const std::vector<std::uint32_t>& days,
                                 const NeedsIndex& needs_index, LateIndex& late,
                                 const WorkLimit& limit) {
  if (query_.traces_max == 0 || filter_.from_ns > filter_.to_ns) return TraceEnd{};
  days_ = days;
  for (auto day = days.rbegin(); day != days.rend(); ++day) {
    if (*day > event_key::day_of_ns(filter_.to_ns)) continue;
    Result<bool> is_indexed = !limit.is_over();
    if (*is_indexed && needs_index(*day)) is_indexed = late.make(*day, limit);
    if (!is_indexed) return forward(is_indexed);
    auto went = Result<Went>(Went::kLimited);
    if (*is_indexed) {
      went = walk_day(*day, limit);
      if (!went) return forward(went);
    } else {
      note_limit({std::min(filter_.to_ns, event_key::last_of(*day)), ""});
    }
    if (*went != Went::kOn) return TraceEnd{*went == Went::kEnough, looked_at_};
  }
  return end_of_all();
}

// Not whole where a trace was too large to be looked through: said once, so that who goes on behind
// the last place comes to an end.
TraceEnd SpanSearch::end_of_all() const {
  const TracePlace last{query_.from_ns, std::string(kTraceIdBytes, '\xff')};
  if (!has_cut_traces_ || !is_new(last)) return TraceEnd{};
  return TraceEnd{false, last};
}

SpanSearch::Blocks SpanSearch::blocks_of(std::uint32_t day) const {
  Blocks blocks{search_key::blocks(day, customer_, search_key::hash_of(query_.service)), nullptr};
  std::string from = blocks.prefix;
  kv::append_key_u32(from, search_key::bucket_of(filter_.from_ns));
  std::string to = blocks.prefix;
  kv::append_key_u32(to, search_key::bucket_of(filter_.to_ns) + 1);
  blocks.scan = store_.scan_back(kv::Family::kSpans, from, to);
  blocks.has_row = blocks.scan->next();
  return blocks;
}

Result<SpanSearch::Went> SpanSearch::walk_day(std::uint32_t day, const WorkLimit& limit) {
  Blocks blocks = blocks_of(day);
  while (blocks.has_row) {
    const auto bucket = blocks.bucket_here();
    if (!bucket) {
      blocks.has_row = blocks.scan->next();
      continue;
    }
    blocks.bucket = *bucket;
    blocks.stretch = {std::max(search_key::bucket_begin(*bucket), event_key::first_of(day)),
                      std::min(search_key::bucket_last(*bucket), event_key::last_of(day))};
    auto went = read_bucket(blocks, limit);
    if (went && *went == Went::kOn) went = walk_bucket(blocks, limit);
    if (!went || *went != Went::kOn) return went;
    behind_.reset();
    if (!blocks.has_cut) continue;
    behind_ = place_of(blocks.traces.back());
    std::string again = blocks.prefix;  // the bucket once more, for what lies behind
    kv::append_key_u32(again, *bucket + 1);
    blocks.scan->seek(again);
    blocks.has_row = blocks.scan->next();
  }
  if (auto status = blocks.scan->status(); !status) return forward(status);
  return Went::kOn;
}

// What of a bucket passes the filter. The limit is looked at before each row: most of the blocks
// that a search for something rare goes through hold nothing of it.
Result<SpanSearch::Went> SpanSearch::read_bucket(Blocks& blocks, const WorkLimit& limit) {
  blocks.traces.clear();
  blocks.has_cut = false;
  while (blocks.has_row && blocks.bucket_here() == blocks.bucket) {
    if (limit.is_over()) return end_in(blocks);
    const auto read = read_span_block(blocks.bucket, blocks.scan->value(), filter_, blocks.traces);
    if (!read) {
      const auto goes_on = damaged_.left_out(read.error());
      if (!goes_on) return forward(goes_on);
    }
    if (blocks.traces.size() > 2 * bounds_.bucket_traces) {
      blocks.has_cut = is_cut(blocks.traces) || blocks.has_cut;
    }
    blocks.has_row = blocks.scan->next();
  }
  blocks.has_cut = is_cut(blocks.traces) || blocks.has_cut;
  return Went::kOn;
}

// Before any trace of the bucket has been looked at, or of its part behind behind_.
SpanSearch::Went SpanSearch::end_in(const Blocks& blocks) {
  const TracePlace first{std::min(blocks.stretch.last_ns, filter_.to_ns), ""};
  const TracePlace& bound = behind_ ? *behind_ : first;
  if (const Went went = give_until(&bound); went != Went::kOn) return went;
  note_limit(bound);
  return Went::kLimited;
}

// Puts them in order, each once, and keeps the first ones that lie behind what was walked. True
// where it has left out some.
bool SpanSearch::is_cut(std::vector<FoundTrace>& traces) {
  for (FoundTrace& trace : traces) trace.latest_ns = std::min(trace.latest_ns, filter_.to_ns);
  if (behind_) {
    std::erase_if(traces,
                  [&](const FoundTrace& trace) { return !behind_->is_before(place_of(trace)); });
  }
  std::sort(traces.begin(), traces.end(), is_before);
  const auto end = std::unique(traces.begin(), traces.end(),
                               [](const FoundTrace& left, const FoundTrace& right) {
                                 return left.latest_ns == right.latest_ns && left.id == right.id;
                               });
  traces.erase(end, traces.end());
  if (traces.size() <= bounds_.bucket_traces) return false;
  traces.resize(bounds_.bucket_traces);
  return true;
}

Result<SpanSearch::Went> SpanSearch::walk_bucket(const Blocks& blocks, const WorkLimit& limit) {
  for (const FoundTrace& trace : blocks.traces) {
    auto went = take(place_of(trace), blocks.stretch, limit);
    if (!went || *went != Went::kOn) return went;
  }
  return blocks.has_cut ? Went::kOn : give_until(nullptr);
}

Result<SpanSearch::Went> SpanSearch::take(const TracePlace& bound, const Stretch& stretch,
                                          const WorkLimit& limit) {
  const auto ids = ids_of(bound.trace_id, event_key::day_of_ns(stretch.first_ns), limit);
  if (!ids) return forward(ids);
  if (is_new(bound)) spans_ += ids->size();
  for (const std::string& id : *ids) {
    auto went = take_one({bound.time_ns, id}, stretch, limit);
    if (!went || *went != Went::kOn) return went;
  }
  return Went::kOn;
}

// The traces of the day whose ids begin so: one, but where somebody makes his ids up. Once the
// limit is over only the first one is of use: there the search ends.
Result<std::vector<std::string>> SpanSearch::ids_of(const std::string& id, std::uint32_t day,
                                                    const WorkLimit& limit) {
  const std::string_view half = std::string_view(id).substr(0, kHalfIdBytes);
  if (half.find_first_not_of('\0') == std::string_view::npos || limit.is_over()) {
    return std::vector{id};
  }
  const std::string prefix = event_key::prefix(day, customer_);
  const std::string all = prefix + std::string(half);
  const auto scan = store_.scan(kv::Family::kSpans, all, kv::after_prefix(all));
  std::vector<std::string> ids;
  for (std::size_t steps = 0; scan->next(); ++steps) {
    const std::string_view own = scan->key().substr(prefix.size(), kTraceIdBytes);
    if (ids.empty() || ids.back() != own) {
      ids.emplace_back(own);
      steps = 0;
      if (limit.is_over()) break;
      if (ids.size() == bounds_.trace_spans) {
        has_cut_traces_ = true;
        break;
      }
    }
    if (steps == kStepsBeforeSeek) scan->seek(kv::after_prefix(prefix + ids.back()));
  }
  if (auto status = scan->status(); !status) return forward(status);
  return ids;
}

// Of what lies no later than query_.after the spans are not counted, though they have to be read:
// the page before may have ended with such a trace known and not given. So each page comes further,
// however many spans those have.
Result<SpanSearch::Went> SpanSearch::take_one(const TracePlace& bound, const Stretch& stretch,
                                              const WorkLimit& limit) {
  if (const Went went = give_until(&bound); went != Went::kOn) return went;
  if (limit.is_over() || (is_further_ && spans_ > bounds_.spans)) {
    note_limit(bound);
    return Went::kLimited;
  }
  const std::size_t spans_before = spans_;
  const auto latest = latest_of(bound.trace_id, limit);
  if (!latest) return forward(latest);
  is_further_ = is_further_ || is_new(bound);
  if (!is_new(bound)) spans_ = spans_before;
  if (limit.is_over()) {
    note_limit(bound);
    return Went::kLimited;
  }
  if (!*latest || **latest < stretch.first_ns) return Went::kOn;
  const TracePlace own{**latest, bound.trace_id};
  // Later than what is walked, and given or passed over there: unless it came meanwhile, or the row
  // of the index is lost that led to it.
  if (**latest > stretch.last_ns) return give(own, bound);
  keep(own);
  return Went::kOn;
}

// The first ones that are still to be given. Those that have no room are looked at once more by a
// search that goes on before them.
void SpanSearch::keep(const TracePlace& own) {
  if (!is_new(own) || given_.contains(own.trace_id)) return;
  if (known_until_ && !own.is_before(*known_until_)) return;
  known_.insert(own);
  if (known_.size() <= bounds_.known) return;
  known_until_ = std::move(known_.extract(std::prev(known_.end())).value());
}

SpanSearch::Went SpanSearch::give_until(const TracePlace* bound) {
  while (!known_.empty() && (bound == nullptr || known_.begin()->is_before(*bound))) {
    const TracePlace place = std::move(known_.extract(known_.begin()).value());
    if (const Went went = give(place, place); went != Went::kOn) return went;
  }
  if (!known_until_ || (bound != nullptr && bound->is_before(*known_until_))) return Went::kOn;
  note_limit(*known_until_);
  return Went::kLimited;
}

// `shown`: where the walk is. It differs where the trace has missed its turn.
SpanSearch::Went SpanSearch::give(const TracePlace& place, const TracePlace& shown) {
  if (!is_new(place)) return Went::kOn;
  if (!given_.insert(place.trace_id).second) return Went::kOn;
  const bool goes_on = visit_(shown);
  return goes_on && given_.size() < query_.traces_max ? Went::kOn : Went::kEnough;
}

void SpanSearch::note_limit(const TracePlace& bound) {
  looked_at_ = before(bound);
  if (!is_new(*looked_at_)) looked_at_ = query_.after;
}

// A trace of many requests stands in as many blocks: it is read once. Who goes back a page asks for
// one again that an earlier reading has not looked through.
Result<SpanSearch::Times> SpanSearch::latest_of(const std::string& trace_id,
                                                const WorkLimit& limit) {
  const auto at = latest_.find(trace_id);
  if (at != latest_.end() && (!at->second.is_least || is_given(at->second.time_ns))) {
    has_cut_traces_ = has_cut_traces_ || at->second.is_cut;
    return at->second.time_ns;
  }
  if (latest_.size() > kBucketTracesMax) latest_.clear();
  const bool had_cut_traces = std::exchange(has_cut_traces_, false);
  Times latest;
  for (auto day = days_.rbegin(); !latest && day != days_.rend(); ++day) {
    auto on_day = latest_on(*day, trace_id, limit);
    if (!on_day) return on_day;
    latest = *on_day;
  }
  if (!limit.is_over()) {
    latest_.insert_or_assign(trace_id, LatestSpan{latest, is_given(latest), has_cut_traces_});
  }
  has_cut_traces_ = has_cut_traces_ || had_cut_traces;
  return latest;
}

Result<SpanSearch::Times> SpanSearch::latest_on(std::uint32_t day, const std::string& trace_id,
                                                const WorkLimit& limit) {
  const std::string prefix = event_key::prefix(day, customer_) + trace_id;
  const auto scan = store_.scan(kv::Family::kSpans, prefix, kv::after_prefix(prefix));
  Times latest;
  std::size_t bytes = 0;
  for (std::size_t spans = 0; !limit.is_over() && scan->next(); ++spans) {
    if (spans == bounds_.trace_spans || bytes >= kTraceBytesLookedAt) {
      has_cut_traces_ = true;
      break;
    }
    ++spans_;
    bytes += scan->value().size();
    const auto event = reader_.read(scan->value());
    const auto goes_on = event ? damaged_.visited([&] {
      const TimestampNs time_ns = event_key::filed_ns(day, outline_of(event->item).start_ns);
      const bool is_in = time_ns >= query_.from_ns && time_ns <= query_.to_ns;
      if (is_in && (!latest || time_ns > *latest) && has_all(query_, *event)) latest = time_ns;
      return true;
    })
                               : damaged_.left_out(event.error());
    if (!goes_on) return forward(goes_on);
    // It was given before query_.after, wherever.
    if (is_given(latest)) break;
  }
  if (auto status = scan->status(); !status) return forward(status);
  return latest;
}

}  // namespace vigia::storage::store::rocksdb::events
