#include "services/collector/tail_sampling/settings.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <re2/re2.h>

namespace vigia::collector::tail_sampling {
namespace {

using service::ConfigNode;

constexpr std::int64_t kTracesMax = 100'000'000;
constexpr std::string_view kKinds =
    "always_sample, latency, numeric_attribute, probabilistic, status_code, string_attribute, "
    "rate_limiting, span_count, boolean_attribute, and, drop";

class PolicyReader {
 public:
  PolicyReader(Policies& policies, config::Notes& notes) : policies_(policies), notes_(notes) {}

  Policy read(const ConfigNode& node, bool is_part) {
    Policy policy;
    policy.name = node.child("name").required_text();
    const ConfigNode type = node.child("type");
    const std::string kind = type.required_text();
    const ConfigNode keys = node.child(kind);
    if (kind == "and" || kind == "drop") {
      read_parts(type, keys, kind, is_part, policy);
    } else if (kind == "latency") {
      read_latency(keys, policy);
    } else if (kind == "probabilistic") {
      policy.kind = Policy::Kind::kProbabilistic;
      policy.salt = keys.child("hash_salt").text();
      // Upstream's own: who sets none keeps the same traces.
      if (policy.salt.empty()) policy.salt = "default-hash-seed";
      policy.hash_max = hash_max_of(keys.child("sampling_percentage").number(0, 0, 1e9));
    } else if (kind == "rate_limiting") {
      read_rate(keys, policy);
    } else if (kind == "span_count") {
      policy.kind = Policy::Kind::kSpanCount;
      policy.spans_min =
          static_cast<std::uint32_t>(keys.child("min_spans").integer(0, 0, 0xffffffffLL));
      policy.spans_max =
          static_cast<std::uint32_t>(keys.child("max_spans").integer(0, 0, 0xffffffffLL));
    } else if (kind != "always_sample") {
      read_condition(type, keys, kind, policy);
    }
    return policy;
  }

 private:
  void read_parts(const ConfigNode& type, const ConfigNode& keys, const std::string& kind,
                  bool is_part, Policy& policy) {
    policy.kind = kind == "and" ? Policy::Kind::kAnd : Policy::Kind::kDrop;
    if (is_part) type.note_error(fmt::format("\"{}\" cannot stand inside of another", kind));
    const ConfigNode list = keys.child(kind + "_sub_policy");
    for (const ConfigNode& part : list.items()) policy.parts.push_back(read(part, true));
    if (policy.parts.empty()) list.note_error("names no policy");
  }

  static void read_latency(const ConfigNode& keys, Policy& policy) {
    constexpr std::int64_t kMost = 1'000'000'000'000;
    policy.kind = Policy::Kind::kLatency;
    policy.threshold_ms = keys.child("threshold_ms").integer(0, 0, kMost);
    const ConfigNode upper = keys.child("upper_threshold_ms");
    policy.upper_ms = upper.integer(0, 0, kMost);
    if (policy.upper_ms > 0 && policy.upper_ms <= policy.threshold_ms)
      upper.note_error("is not above threshold_ms");
  }

  void read_rate(const ConfigNode& keys, Policy& policy) {
    constexpr std::int64_t kMost = 1'000'000'000'000;
    policy.kind = Policy::Kind::kRate;
    const std::int64_t spans = keys.child("spans_per_second").integer(0, 0, kMost);
    policy.spans_per_second = static_cast<double>(spans);
    policy.burst =
        static_cast<double>(keys.child("burst_capacity").integer(2 * spans, 0, 2 * kMost));
    policy.rate = policies_.rates++;
  }

  void read_condition(const ConfigNode& type, const ConfigNode& keys, const std::string& kind,
                      Policy& policy) {
    policy.kind = Policy::Kind::kCondition;
    policy.bit = policies_.conditions.size();
    SpanCondition condition;
    if (kind == "status_code") {
      read_statuses(keys.child("status_codes"), condition);
    } else if (kind == "string_attribute") {
      read_texts(keys, condition);
    } else if (kind == "numeric_attribute") {
      read_bounds(keys, condition);
    } else if (kind == "boolean_attribute") {
      condition.kind = SpanCondition::Kind::kTruth;
      condition.truth = keys.child("value").boolean(false);
    } else {
      type.note_error(
          fmt::format("\"{}\" is not a policy of this collector; {} are", kind, kKinds));
      keys.accept_all();
      return;
    }
    if (condition.kind != SpanCondition::Kind::kStatus) {
      condition.key = keys.child("key").required_text();
      policy.inverts = keys.child("invert_match").boolean(false);
    }
    policies_.conditions.push_back(std::move(condition));
    if (policies_.conditions.size() > kConditionsMax)
      type.note_error(fmt::format("is one of more than {} that look at spans", kConditionsMax));
  }

  static void read_statuses(const ConfigNode& list, SpanCondition& condition) {
    constexpr std::array<std::string_view, 3> kNames{"UNSET", "OK", "ERROR"};
    for (const ConfigNode& item : list.items()) {
      const std::string text = item.text();
      const auto* const found = std::find(kNames.begin(), kNames.end(), text);
      if (found == kNames.end())
        item.note_error(fmt::format("\"{}\" is not OK, ERROR or UNSET", text));
      else
        condition.statuses.insert(static_cast<std::uint64_t>(found - kNames.begin()));
    }
    if (list.items().empty()) list.note_error("names no status");
  }

  void read_texts(const ConfigNode& keys, SpanCondition& condition) {
    condition.kind = SpanCondition::Kind::kText;
    const ConfigNode values = keys.child("values");
    const bool are_patterns = keys.child("enabled_regex_matching").boolean(false);
    config::take_note(keys.child("cache_max_size"), "expressions need no cache", notes_);
    for (const ConfigNode& item : values.items()) {
      const std::string text = item.text();
      if (!are_patterns) {
        if (!text.empty()) condition.texts.insert(text);
        continue;
      }
      re2::RE2::Options options;
      options.set_log_errors(false);
      auto pattern = std::make_shared<const re2::RE2>(text, options);
      if (pattern->ok())
        condition.patterns.push_back(std::move(pattern));
      else
        item.note_error(fmt::format("no regular expression: {}", pattern->error()));
    }
    if (values.items().empty()) values.note_error("names no value");
  }

  static void read_bounds(const ConfigNode& keys, SpanCondition& condition) {
    condition.kind = SpanCondition::Kind::kNumber;
    const ConfigNode min = keys.child("min_value");
    const ConfigNode max = keys.child("max_value");
    if (!min.is_present() && !max.is_present())
      keys.note_error("has neither min_value nor max_value");
    condition.min = min.integer(condition.min, condition.min, condition.max);
    condition.max = max.integer(condition.max, condition.min, condition.max);
  }

  Policies& policies_;
  config::Notes& notes_;
};

void read_remembered(const ConfigNode& node, TailSamplingSettings& settings) {
  const std::int64_t kept = node.child("sampled_cache_size").integer(0, 0, kTracesMax);
  const std::int64_t dropped = node.child("non_sampled_cache_size").integer(0, 0, kTracesMax);
  settings.remembered = std::max(settings.num_traces, static_cast<std::uint64_t>(kept + dropped));
}

}  // namespace

TailSamplingSettings read_tail_sampling(const ConfigNode& node, const std::set<Signal>& signals,
                                        config::Notes& notes) {
  TailSamplingSettings settings;
  if (signals.contains(Signal::kMetrics) || signals.contains(Signal::kLogs))
    node.note_error("samples traces, and a pipeline of another signal names it");
  settings.decision_wait = node.child("decision_wait").duration(settings.decision_wait);
  settings.num_traces = static_cast<std::uint64_t>(
      node.child("num_traces")
          .integer(static_cast<std::int64_t>(settings.num_traces), 1, kTracesMax));
  read_remembered(node.child("decision_cache"), settings);
  settings.policies.takes_first_match = node.child("sample_on_first_match").boolean(false);
  config::take_note(node.child("expected_new_traces_per_sec"), "memory is asked for as it is used",
                    notes);
  config::take_note(node.child("block_on_overflow"),
                    "who opens more than num_traces has its oldest decided early", notes);
  const ConfigNode drops = node.child("drop_pending_traces_on_shutdown");
  if (drops.boolean(false))
    config::refuse_key(
        drops,
        "spans were acknowledged, and what waits at the end of a run is decided in the next");
  if (const ConfigNode root = node.child("decision_wait_after_root_received"); root.is_present()) {
    if (root.duration(Duration::zero()) != Duration::zero())
      config::refuse_key(root, "traces are decided in the order in which they began");
  }
  PolicyReader reader(settings.policies, notes);
  const ConfigNode policies = node.child("policies");
  for (const ConfigNode& item : policies.items())
    settings.policies.list.push_back(reader.read(item, false));
  if (settings.policies.list.empty()) policies.note_error("names no policy: nothing would be kept");
  return settings;
}

TailSamplingSettings keep_all() {
  TailSamplingSettings settings;
  settings.decision_wait = Duration::zero();
  settings.policies.list = {Policy{.name = "keep"}};
  return settings;
}

}  // namespace vigia::collector::tail_sampling
