#include "libs/series/series_resolver.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "libs/wire/prometheus/classic_histogram.hpp"
#include "libs/wire/prometheus/labels_encoding.hpp"
#include "libs/wire/prometheus/verbatim.hpp"

namespace vigia::series {
namespace {

using wire::otlp::MetricKind;

void append_key(std::string& out, const SeriesKey& key) {
  char bytes[sizeof(SeriesKey)];
  std::memcpy(bytes, &key, sizeof bytes);
  out.append(bytes, sizeof bytes);
}

/// With its length before it: else "ab" + "c" and "a" + "bc" would be one key.
void append_text(std::string& out, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  char bytes[sizeof size];
  std::memcpy(bytes, &size, sizeof bytes);
  out.append(bytes, sizeof bytes);
  out += text;
}

void append_double(std::string& out, double value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof bytes);
  out.append(bytes, sizeof bytes);
}

/// What beside the attributes decides which series a histogram or summary point has.
void append_shape(std::string& out, MetricKind type, const wire::otlp::PointHeader& point) {
  if (type == MetricKind::kHistogram) {
    const auto& histogram = static_cast<const wire::otlp::HistogramPoint&>(point);
    out += histogram.has_sum || point.is_stale() ? 's' : '-';
    for (const double bound : histogram.bounds) append_double(out, bound);
  } else if (type == MetricKind::kSummary) {
    const auto& summary = static_cast<const wire::otlp::SummaryPoint&>(point);
    for (const auto& quantile : summary.quantiles) append_double(out, quantile.quantile);
  }
}

/// Series of different settings have different labels, and must not meet in the cache. The two
/// forms of an exponential histogram have keys of their own.
std::string fingerprint(const CustomerId& customer,
                        const wire::prometheus::TranslatorSettings& settings) {
  std::string text = customer.text();
  text += settings.scope_labels ? '1' : '0';
  text += settings.target_info ? '1' : '0';
  text += settings.ratio_suffix ? '1' : '0';
  text += settings.all_resource_labels ? '1' : '0';
  text += static_cast<char>(settings.strategy);
  text += static_cast<char>(settings.strategies);
  for (const std::string& label : settings.resource_labels) append_text(text, label);
  return text;
}

std::string joined(const std::vector<std::string>& forms) {
  std::string all;
  for (const std::string& form : forms) all += form;
  return all;
}

}  // namespace

SeriesResolver::SeriesResolver(const CustomerId& customer,
                               const wire::prometheus::TranslatorSettings& settings,
                               SeriesCache& cache)
    : customer_(customer),
      settings_(settings),
      cache_(cache),
      customer_key_(cache.hash(fingerprint(customer, settings))),
      now_s_(cache.now_s()) {}

SeriesResolver::~SeriesResolver() {
  if (resource_ != nullptr) shard_->unpin(*resource_);
}

Result<std::uint32_t> SeriesResolver::run(std::string_view body,
                                          const wire::otlp::WalkLimits& limits) {
  auto items = wire::otlp::walk(Signal::kMetrics, body, *this, limits);
  if (!items) return items;
  try {
    leave_resource();  // gives the points that wait, as the walk does
  } catch (const protozero::exception& damage) {
    return fail(ErrorCode::kInvalid, fmt::format("not an OTLP metrics request: {}", damage.what()));
  }
  return items;
}

void SeriesResolver::leave_resource() {
  if (resource_ == nullptr) return;
  settle();
  on_resource_end(*resource_);
  shard_->unpin(*resource_);
  resource_ = nullptr;
  lock_ = {};
}

void SeriesResolver::on_resource(const wire::otlp::ResourceView& resource) {
  leave_resource();
  resource_bytes_ = resource.bytes;
  is_verbatim_ = resource.schema_url == wire::prometheus::kVerbatimSchemaUrl;
  step_ = Step::kResource;
}

void SeriesResolver::on_scope(const wire::otlp::ScopeView& scope) {
  settle();
  scope_ = scope;
  scope_labels_.reset();
  step_ = std::min(step_, Step::kScope);
}

void SeriesResolver::on_metric(const wire::otlp::MetricView& metric) {
  settle();
  metric_ = metric;
  ++metric_number_;
  is_delta_ = metric_.temporality == wire::otlp::Temporality::kDelta && takes_deltas();
  if (is_delta_) metric_.temporality = wire::otlp::Temporality::kCumulative;
  has_identity_ = false;
  step_ = std::min(step_, Step::kMetric);
}

/// Put off until a point comes that is wanted: a body whose points a reader skips costs no hash and
/// no lock. Each level's key is a hash over the level's above, so equal bytes at another place make
/// another key.
void SeriesResolver::enter() {
  if (step_ == Step::kResource) enter_resource();
  if (step_ <= Step::kScope) hash_scope();
  hash_metric();
  step_ = Step::kPoint;
}

void SeriesResolver::enter_resource() {
  room_.clear();
  append_key(room_, customer_key_);
  append_key(room_, cache_.hash(resource_bytes_));
  const SeriesKey key = cache_.hash(room_);
  shard_ = &cache_.shard(key);
  // A resource lives in one shard with all its points: one lock for a run of hundreds.
  lock_ = std::unique_lock(shard_->mutex);
  work_ = 0;
  shard_->sweep(now_s_);
  guess_ = {};
  ResourceEntry* resource = shard_->find_resource(key);
  if (resource == nullptr) {
    ResourceEntry entry;
    entry.key = key;
    entry.labels = resource_bytes_.size() > resource_bytes_max()
                       ? wire::prometheus::too_large_a_resource(customer_, resource_bytes_)
                       : wire::prometheus::read_resource(customer_, resource_bytes_, settings_);
    entry.active_series = &(settings_.counts_active_series ? cache_.active_series(customer_)
                                                           : cache_.uncounted_series());
    resource = &shard_->insert_resource(std::move(entry));
    count_collisions(resource->labels.collisions);
  }
  // From here on the sweep of another thread, which offer_lock lets in, leaves the resource alone.
  ++resource->pins;
  resource_ = resource;
  resource_why_.clear();
  resource_fault_ = resource_->labels.fault;
  if (resource_fault_ == RejectReason::kNone && is_verbatim_ && !admits_verbatim()) {
    resource_fault_ = RejectReason::kReserved;
    resource_why_ = "the schema_url is our own form of remote write";
    return;
  }
  if (resource_fault_ == RejectReason::kNone)
    resource_fault_ = admit_resource(*resource_, resource_why_);
  else if (resource_fault_ == RejectReason::kResourceBytes)
    (void)admit_resource(*resource_, resource_why_);
}

/// Once for each series that is new here, by whoever counts series, so that a pair of keys is not
/// counted at each of its points and by each exporter.
void SeriesResolver::count_collisions(std::uint32_t joined) {
  if (joined > 0 && settings_.counts_active_series) cache_.count_collisions(customer_, joined);
}

void SeriesResolver::hash_scope() {
  room_.clear();
  append_key(room_, resource_->key);
  if (is_verbatim_) append_text(room_, wire::prometheus::kVerbatimSchemaUrl);
  append_text(room_, scope_.schema_url);
  room_ += scope_.bytes;
  scope_key_ = cache_.hash(room_);
}

void SeriesResolver::hash_metric() {
  room_.clear();
  append_key(room_, scope_key_);
  if (is_verbatim_) {
    // What a Prometheus says of a series' type beside it, today or never, makes no other series.
    append_text(room_, metric_.name);
    metric_key_ = cache_.hash(room_);
    return;
  }
  room_ += static_cast<char>(metric_.type);
  room_ += static_cast<char>(metric_.temporality);
  room_ += metric_.is_monotonic ? '1' : '0';
  append_text(room_, metric_.name);
  append_text(room_, metric_.unit);
  room_ += metric_.prometheus_type;
  metric_key_ = cache_.hash(room_);
}

/// Only for points that are not in the cache: names are assembled and checked there alone.
const wire::prometheus::MetricIdentity& SeriesResolver::identity() {
  if (!has_identity_) {
    identity_why_.clear();
    identity_ = is_verbatim_
                    ? wire::prometheus::identify_verbatim(metric_, settings_, identity_why_)
                    : wire::prometheus::identify(metric_, resource_->labels.is_agent, settings_);
    has_identity_ = true;
  }
  return identity_;
}

SeriesKey SeriesResolver::point_key(MetricKind type, const wire::otlp::PointHeader& point) {
  SeriesKey key = cache_.hash(point.attributes.bytes);
  // The metric's key is a hash under the same secret of bytes that no sender can know, so this
  // exclusive or of the two meets another one's only by chance.
  key.low ^= metric_key_.low;
  key.high ^= metric_key_.high;
  if (type == MetricKind::kHistogram || type == MetricKind::kSummary) {
    room_.clear();
    append_key(room_, key);
    append_shape(room_, type, point);
    key = cache_.hash(room_);
  }
  return key;
}

void SeriesResolver::on_item(std::uint32_t item, std::string_view bytes) {
  if (!wants(item)) return;
  if (step_ != Step::kPoint) enter();
  // Read even where the resource is refused: damaged bytes are a damaged request.
  const wire::otlp::PointHeader& point = points_.header(metric_.type, bytes);
  const bool is_number = metric_.type == MetricKind::kGauge || metric_.type == MetricKind::kSum;
  // A run of attributes that had to be gathered lies in the reader's own room until the next point.
  const bool lies_in_body = point.attributes.bytes.data() >= bytes.data() &&
                            point.attributes.bytes.data() < bytes.data() + bytes.size();
  if (is_number && (lies_in_body || point.attributes.bytes.empty())) {
    put_to_wait(item, bytes, static_cast<const wire::otlp::NumberPoint&>(point));
    return;
  }
  settle();
  // What a Prometheus wrote stays what it is.
  if (metric_.type == MetricKind::kExponentialHistogram && !is_verbatim_ &&
      settings_.exponential == wire::prometheus::ExponentialForm::kClassic) {
    give_as_classic(item, bytes, point);
  } else {
    give(item, bytes, point, point_key(metric_.type, point));
  }
}

inline void SeriesResolver::give(ResolvedPoint& resolved, const SeriesKey& key) {
  resolved.is_verbatim = is_verbatim_;
  resolved.is_delta = is_delta_;
  if (resource_fault_ != RejectReason::kNone) {
    resolved.fault = resource_fault_;
  } else if (resolved.fault == RejectReason::kNone) {
    resolved.fault = point_fault(resolved);
    if (resolved.fault == RejectReason::kNone)
      resolved.entry = resolve(key, resolved, resolved.fault);
  }
  if (resolved.entry == nullptr) {
    give_refused(resolved);
    return;
  }
  resolved.series = resolved.entry->series;
  resolved.label_bytes = resolved.entry->forms_bytes +
                         std::size_t{resolved.series} * resource_->labels.shared.bytes.size();
  on_point(resolved);
  note_work(resolved.label_bytes);
}

void SeriesResolver::give(std::uint32_t item, std::string_view bytes,
                          const wire::otlp::PointHeader& point, const SeriesKey& key) {
  ResolvedPoint resolved;
  resolved.item = item;
  resolved.type = metric_.type;
  resolved.bytes = bytes;
  resolved.point = &point;
  give(resolved, key);
}

void SeriesResolver::give_as_classic(std::uint32_t item, std::string_view bytes,
                                     const wire::otlp::PointHeader& point) {
  ResolvedPoint resolved{.item = item, .type = metric_.type, .point = &point, .bytes = bytes};
  resolved.fault = wire::prometheus::shape_fault(metric_.type, point, why_);
  if (resolved.fault != RejectReason::kNone) {
    give(resolved, {});
    return;
  }
  wire::prometheus::to_classic(static_cast<const wire::otlp::ExponentialPoint&>(point), classic_);
  resolved.type = MetricKind::kHistogram;
  resolved.point = &classic_;
  give(resolved, point_key(resolved.type, classic_));
}

/// A look-up misses the processor's cache twice, in the slot and in the entry, some 100 ns each. A
/// few points wait together, so that the memory is on its way for all of them at once.
void SeriesResolver::put_to_wait(std::uint32_t item, std::string_view bytes,
                                 const wire::otlp::NumberPoint& point) {
  Waiting& waiting = waiting_[waiting_count_++];
  waiting.item = item;
  waiting.bytes = bytes;
  waiting.point = point;
  waiting.key = point_key(metric_.type, point);
  if (guess_.is_trusted()) {
    shard_->prefetch(guess_.next + static_cast<std::uint32_t>(waiting_count_) - 1);
  } else {
    shard_->prefetch_slot(waiting.key);
  }
  if (waiting_count_ == kWaitingMax) settle();
}

void SeriesResolver::settle() {
  const std::size_t unguessed = guess_.is_trusted() ? 0 : waiting_count_;
  for (std::size_t i = 0; i < unguessed; ++i) shard_->prefetch_entry(waiting_[i].key);
  const std::size_t count = std::exchange(waiting_count_, 0);
  for (std::size_t i = 0; i < count; ++i) {
    const Waiting& waiting = waiting_[i];
    give(waiting.item, waiting.bytes, waiting.point, waiting.key);
  }
}

RejectReason SeriesResolver::point_fault(ResolvedPoint& resolved) {
  if (!is_verbatim_) return wire::prometheus::shape_fault(resolved.type, *resolved.point, why_);
  return wire::prometheus::verbatim_fault(metric_.type, *resolved.point, resolved.bytes, why_,
                                          resolved.buckets);
}

void SeriesResolver::give_refused(ResolvedPoint& resolved) {
  resolved.why = resource_fault_ == RejectReason::kNone ? why_ : resource_why_;
  on_point(resolved);
  why_.clear();
  note_work(resolved.bytes.size());
}

void SeriesResolver::offer_lock() {
  work_ = 0;
  if (!shard_->mutex.is_awaited()) return;
  // The resource is pinned, and no entry is held on to from one point to the next.
  lock_.unlock();
  lock_.lock();
}

std::uint32_t SeriesResolver::find(const SeriesKey& key) {
  if (guess_.is_trusted() && shard_->has(guess_.next, key)) return guess_.next++;
  const std::uint32_t number = shard_->number_of(key);
  if (number != kNoEntry) guess_.learn(number);
  return number;
}

const PointEntry* SeriesResolver::resolve(const SeriesKey& key, ResolvedPoint& point,
                                          RejectReason& fault) {
  const std::uint32_t number = find(key);
  if (number == kNoEntry) return make(key, point, fault);
  PointEntry& entry = shard_->entry(number);
  if (entry.used_s != now_s_) entry.used_s = now_s_;
  fault = entry.fault;
  return fault == RejectReason::kNone ? &entry : nullptr;
}

/// Of the scope under way, from its first point on that is new.
const wire::prometheus::ScopeLabels& SeriesResolver::scope_labels(
    const wire::prometheus::SeriesContext& context) {
  if (scope_labels_) return *scope_labels_;
  if (scope_.bytes.size() + scope_.schema_url.size() > scope_bytes_max()) {
    scope_labels_.emplace();
    scope_labels_->fault = RejectReason::kResourceBytes;
    scope_labels_->why =
        fmt::format("a scope of {} bytes, {} may be",
                    scope_.bytes.size() + scope_.schema_url.size(), scope_bytes_max());
  } else {
    scope_labels_ = wire::prometheus::read_scope(scope_, context);
    // The lock is offered after the point, not here, where its entry is known to be missing.
    work_ += (scope_.bytes.size() + scope_labels_->bytes) >> 10U;
  }
  return *scope_labels_;
}

wire::prometheus::PointSeries SeriesResolver::build(ResolvedPoint& point) {
  const wire::prometheus::SeriesContext context{resource_->labels.shared, settings_, label_limits(),
                                                resource_->labels.is_agent};
  wire::prometheus::PointSeries series;
  if (is_verbatim_) {
    series.fault = admit_point(point, series.why);
    if (series.fault != RejectReason::kNone) return series;
    return wire::prometheus::build_verbatim(identity_, *point.point, context);
  }
  const wire::prometheus::ScopeLabels& scope = scope_labels(context);
  const auto least = wire::prometheus::least_size(point.type, *point.point, scope, context.shared);
  point.series = static_cast<std::uint32_t>(least.series);
  point.label_bytes = least.label_bytes;
  series.fault = scope.fault == RejectReason::kNone ? admit_point(point, series.why) : scope.fault;
  if (series.fault == RejectReason::kNone)
    return wire::prometheus::build_series(identity_, point.type, *point.point, scope, context);
  if (scope.fault != RejectReason::kNone) series.why = scope.why;
  return series;
}

const PointEntry* SeriesResolver::make(const SeriesKey& key, ResolvedPoint& point,
                                       RejectReason& fault) {
  ++shard_->misses;
  fault = identity().fault;
  if (fault != RejectReason::kNone && is_verbatim_) {
    why_ = identity_why_;
    return nullptr;  // not kept: the next one is told as much
  }
  wire::prometheus::PointSeries series;
  if (fault == RejectReason::kNone) {
    // Asked twice: here with the least that a point can weigh, before labels are built for nothing,
    // and below with what it does weigh.
    if (shard_->is_full() || !admits_new_series(key, 1)) {
      fault = RejectReason::kOverLimit;  // not kept: it may pass later
      return nullptr;
    }
    series = build(point);
    fault = series.fault;
    if (!series.why.empty()) {
      why_ = std::move(series.why);
      return nullptr;  // not kept: the next one is told as much, and a limit may be raised
    }
  }
  const std::string forms = joined(series.forms);
  const auto count = static_cast<std::uint16_t>(series.forms.size());
  const std::uint64_t label_bytes =
      forms.size() + std::uint64_t{count} * resource_->labels.shared.bytes.size();
  if (fault == RejectReason::kNone &&
      !admits_new_series(key, ActiveSeries::weight(count, label_bytes))) {
    fault = RejectReason::kOverLimit;
    return nullptr;
  }
  PointEntry entry;
  entry.key = key;
  entry.fault = fault;
  entry.resource = resource_->number;
  entry.used_s = now_s_;
  entry.series = count;
  entry.is_counted = point.type == metric_.type || settings_.counts_classic;
  // Before the insert: a sweep after it might take the entry that is about to be given.
  shard_->sweep(now_s_, shard_->bytes_for(forms));
  if (entry.is_counted) count_collisions(series.collisions);
  const PointEntry& kept = shard_->insert(std::move(entry), forms);
  return fault == RejectReason::kNone ? &kept : nullptr;
}

}  // namespace vigia::series
