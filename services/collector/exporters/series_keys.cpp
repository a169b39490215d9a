#include "services/collector/exporters/series_keys.hpp"

namespace vigia::collector::exporters {

void read_other_series_keys(const service::ConfigNode& node, config::Notes& notes) {
  config::refuse_key(node.child("namespace"), "is not done: names are their senders'");
  config::refuse_key(node.child("external_labels"),
                     "are not added: a resource processor adds attributes");
  config::take_note(node.child("max_batch_request_parallelism"),
                    "as many requests are under way as customers need", notes);
  config::take_note(node.child("wal"), "the disk log is one", notes);
  config::take_notes(node, {"send_metadata", "export_created_metric"},
                     "it goes along where the protocol has it", notes);
}

}  // namespace vigia::collector::exporters
