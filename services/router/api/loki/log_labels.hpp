// What a log record says, as Loki has it: the labels of its stream, and its structured metadata.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libs/model/ids.hpp"
#include "libs/model/labels.hpp"
#include "services/router/api/loki/log_page.hpp"

namespace vigia::router::api::loki {

/// Of kStreamLabels those that the record has; `level` always.
Labels stream_labels(const LogRecord& record);
/// The same of a stream that storage lists of the customer's.
Labels stream_labels(const CustomerId& customer, const CountedStream& stream);

/// trace_id, span_id, severity_text (where it is no word that `level` knows), and all attributes of
/// the record and of its resource that are no labels of the stream, with Loki's names: what is no
/// letter, digit or `_` is a `_`. Of equal names the record's own attribute stays; what has the
/// name of a stream label gets `_extracted` behind it.
Labels structured_metadata(const LogRecord& record);

/// What names it in a query: "k8s.pod.name" → "k8s_pod_name", "2nd" → "_2nd"; "" for none.
std::string metadata_name(std::string_view key);

}  // namespace vigia::router::api::loki
