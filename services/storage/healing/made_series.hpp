// Which series a hot Prometheus makes itself: they reach the cold store from it alone.
#pragma once

#include <string>
#include <vector>

#include "libs/model/ids.hpp"
#include "libs/model/labels.hpp"
#include "libs/model/matcher.hpp"

namespace vigia::storage::healing {

/// The sets of matchers by which the customer's are found; no series is in two of them. They say
/// what `write_relabel_configs` of deploy/prometheus/prometheus-hot.yml says: what its own scrapes
/// bring (`up` too), `ALERTS`, and recorded names.
std::vector<std::vector<Matcher>> made_matchers(const CustomerId& customer);

/// The selectors of all customers' together, `_provider`'s left out, as PromQL writes them.
std::vector<std::string> made_selectors();

/// Whether a series is one of them, and the customer's.
bool is_made(const CustomerId& customer, const Labels& labels);

/// What its label customer_id has to be: "", no label, for `_provider`.
std::string_view label_of(const CustomerId& customer);

}  // namespace vigia::storage::healing
