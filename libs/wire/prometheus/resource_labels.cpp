#include "libs/wire/prometheus/resource_labels.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "libs/model/labels.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "libs/wire/otlp/items.hpp"
#include "libs/wire/prometheus/label_set.hpp"
#include "libs/wire/prometheus/names.hpp"

namespace vigia::wire::prometheus {
namespace {

constexpr std::string_view kAgentService = "vigia-agent";
constexpr std::size_t kInfoLabelBytesMax = 2048;  // a name or a value of target_info

struct Identity {
  std::string name;
  std::string space;
  std::string instance;
};

bool is_identifying(std::string_view key) {
  return key == "service.name" || key == "service.namespace" || key == "service.instance.id";
}

std::string text_of(std::string_view any_value) {
  std::string text;
  otlp::append_value_text(text, any_value);
  return text;
}

Identity read_identity(const otlp::Attributes& attributes) {
  Identity identity;
  otlp::for_each_attribute(attributes, [&identity](const otlp::KeyValueView& entry) {
    if (entry.key == "service.name") identity.name = text_of(entry.value);
    if (entry.key == "service.namespace") identity.space = text_of(entry.value);
    if (entry.key == "service.instance.id") identity.instance = text_of(entry.value);
  });
  return identity;
}

/// Every attribute that has no label yet; of all of them what a series can well bear.
void append_all(std::vector<LabelPair>& labels, const otlp::Attributes& attributes,
                bool keeps_utf8) {
  std::vector<LabelPair> all;
  append_attribute_labels(all, attributes, {.keeps_utf8 = keeps_utf8});
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (LabelPair& label : all) {
    const std::size_t size = label.first.size() + label.second.size();
    const bool is_there =
        std::any_of(labels.begin(), labels.end(),
                    [&label](const LabelPair& known) { return known.first == label.first; });
    if (is_there || count == kPromotedLabelsMax || bytes + size > kPromotedBytesMax) continue;
    bytes += size;
    ++count;
    labels.push_back(std::move(label));
  }
}

std::vector<LabelPair> shared_labels(const CustomerId& customer, const otlp::Attributes& attributes,
                                     const Identity& identity, const TranslatorSettings& settings) {
  std::vector<LabelPair> labels;
  labels.emplace_back(kCustomerLabel, customer.text());
  std::string job = identity.name;
  if (!job.empty() && !identity.space.empty()) job = identity.space + "/" + job;
  labels.emplace_back("job", job);
  labels.emplace_back("instance", identity.instance);
  std::map<std::string_view, std::size_t> places;  // by key: where its label stands
  otlp::for_each_attribute(attributes, [&](const otlp::KeyValueView& entry) {
    const auto& wanted = settings.resource_labels;
    if (std::find(wanted.begin(), wanted.end(), entry.key) == wanted.end()) return;
    std::string name = label_name(entry.key);
    // These three are ours to set; an attribute that is called so must not take their place.
    if (name == kCustomerLabel || name == "job" || name == "instance") return;
    const auto [place, is_new] = places.try_emplace(entry.key, labels.size());
    // Of a key sent twice the last value counts.
    if (is_new)
      labels.emplace_back(std::move(name), text_of(entry.value));
    else
      labels[place->second].second = text_of(entry.value);
  });
  // Behind the others, since of equal names the first stays.
  if (settings.all_resource_labels) {
    const bool is_agent = identity.name == kAgentService;
    append_all(labels, attributes, keeps_utf8(strategy_of(settings, is_agent)));
  }
  return labels;
}

/// Every attribute that does not identify, and the shared labels; "" where nothing would be told.
std::string target_info(const otlp::Attributes& attributes, std::vector<LabelPair> own,
                        const SharedLabels& shared) {
  // Without either nothing could be joined to it (compatibility specification).
  if (shared.get("job").empty() && shared.get("instance").empty()) return "";
  bool tells = false;
  otlp::for_each_attribute(attributes, [&tells](const otlp::KeyValueView& entry) {
    tells = tells || (!is_identifying(entry.key) && label_name(entry.key) != kCustomerLabel);
  });
  if (!tells) return "";
  own.emplace_back(kNameLabel, "target_info");
  std::string form;
  append_own_labels(form, own, shared);
  return form;
}

/// target_info is ours to make, no item of the sender: what of it is too long or too much is left
/// out, and costs no point. By fixed bounds, so that every translation of a body makes the same.
void leave_out_what_does_not_fit(std::vector<LabelPair>& own, const SharedLabels& shared) {
  std::erase_if(own, [](const LabelPair& label) {
    return label.first.size() > kInfoLabelBytesMax || label.second.size() > kInfoLabelBytesMax;
  });
  keep_what_fits(own, shared);
}

RejectReason fault_of(Claim claim) {
  if (claim == Claim::kForeign) return RejectReason::kForeign;
  return claim == Claim::kNone ? RejectReason::kNoCustomer : RejectReason::kNone;
}

RejectReason fault_of(Claim claim, std::string_view resource, const SharedLabels& shared) {
  if (claim != Claim::kOwn) return fault_of(claim);
  if (!otlp::is_valid_resource(resource)) return RejectReason::kInvalid;
  if (is_reserved_job(shared.get("job"))) return RejectReason::kReserved;
  return fits_a_series({}, shared) ? RejectReason::kNone : RejectReason::kUntranslatable;
}

}  // namespace

Claim read_claim(const CustomerId& customer, std::string_view resource) {
  Claim claim = Claim::kNone;
  otlp::for_each_attribute({resource, otlp::ResourceField::kAttributes.number},
                           [&](const otlp::KeyValueView& entry) {
                             // Once foreign, always foreign: a second value of the sender's own
                             // does not make it good.
                             if (entry.key != "customer.id" || claim == Claim::kForeign) return;
                             if (otlp::is_empty_value(entry.value)) return;  // names nobody
                             const std::string_view named = otlp::string_value(entry.value);
                             claim = named == customer.text() ? Claim::kOwn : Claim::kForeign;
                           });
  return claim;
}

ResourceLabels too_large_a_resource(const CustomerId& customer, std::string_view resource) {
  ResourceLabels labels;
  // Whose it claims to be is told first: a foreign resource is refused as foreign, however large.
  labels.fault = fault_of(read_claim(customer, resource));
  if (labels.fault == RejectReason::kNone) labels.fault = RejectReason::kResourceBytes;
  return labels;
}

ResourceLabels read_resource(const CustomerId& customer, std::string_view resource,
                             const TranslatorSettings& settings) {
  ResourceLabels labels;
  const otlp::Attributes attributes{resource, otlp::ResourceField::kAttributes.number};
  const Identity identity = read_identity(attributes);
  labels.is_agent = identity.name == kAgentService;
  labels.shared = SharedLabels::from(shared_labels(customer, attributes, identity, settings));
  labels.fault = fault_of(read_claim(customer, resource), resource, labels.shared);
  if (labels.fault == RejectReason::kNone && settings.target_info) {
    std::vector<LabelPair> own;
    labels.collisions =
        append_attribute_labels(own, attributes,
                                {.is_left_out = is_identifying,
                                 .keeps_utf8 = keeps_utf8(strategy_of(settings, labels.is_agent))});
    // A shared label stands once, whatever the resource calls it.
    std::erase_if(
        own, [&labels](const LabelPair& label) { return !labels.shared.get(label.first).empty(); });
    leave_out_what_does_not_fit(own, labels.shared);
    if (has_reserved_job(own)) {
      labels.fault = RejectReason::kReserved;
      return labels;
    }
    labels.target_info = target_info(attributes, std::move(own), labels.shared);
  }
  return labels;
}

}  // namespace vigia::wire::prometheus
