#include "services/storage/api/write_books.hpp"

namespace vigia::storage::api {

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::kInvalid:
      return "invalid";
    case Refusal::kForeign:
      return "foreign";
    case Refusal::kTooOld:
      return "too_old";
    case Refusal::kFault:
      return "fault";
  }
  return "invalid";
}

WriteBooks::WriteBooks(service::MetricRegistry& registry)
    : received_(registry.counter("vigia_storage_samples_received_total",
                                 "Samples of readable write requests with a good token.")),
      stored_(registry.counter("vigia_storage_samples_stored_total",
                               "Samples stored, late ones included.")),
      late_(registry.counter("vigia_storage_samples_late_total",
                             "Of the stored: older than the newest of their series.")),
      repeated_(registry.counter("vigia_storage_samples_repeated_total",
                                 "Samples that were there already, the same value.")),
      conflicts_(registry.counter("vigia_storage_samples_conflicting_total",
                                  "Samples that were there already with another value; the first "
                                  "one stays.")),
      expired_(registry.counter("vigia_storage_samples_expired_total",
                                "Samples older than their retention: taken, not stored.")),
      failed_(registry.counter("vigia_storage_samples_failed_total",
                               "Samples answered with a passing fault; their sender repeats.")),
      exemplars_received_(registry.counter("vigia_storage_exemplars_received_total",
                                           "Exemplars of readable write requests.")),
      exemplars_refused_(registry.counter("vigia_storage_exemplars_refused_total",
                                          "Exemplars that break the rules, or whose series do: "
                                          "left out, their samples are stored.")),
      exemplars_expired_(registry.counter("vigia_storage_exemplars_expired_total",
                                          "Exemplars older than their retention: not stored.")),
      metadata_received_(registry.counter("vigia_storage_metadata_received_total",
                                          "What readable write requests said of their metrics, "
                                          "each thing once a request.")),
      metadata_refused_(registry.counter("vigia_storage_metadata_refused_total",
                                         "Metadata that is of no metric's name, too long, no UTF-8 "
                                         "or one too many of its request: left out.")),
      metadata_known_(registry.counter("vigia_storage_metadata_known_total",
                                       "Metadata that is stored already.")),
      metadata_cut_(registry.counter("vigia_storage_metadata_cut_total",
                                     "Metadata that is to be kept, of which the help text was cut "
                                     "because it is too long.")) {
  for (std::size_t i = 0; i < kRefusals; ++i) {
    refused_[i] = &registry.counter("vigia_storage_samples_refused_total",
                                    "Samples refused at the door, by reason.",
                                    {{"reason", std::string(to_string(static_cast<Refusal>(i)))}});
  }
}

void WriteBooks::note_refused(Refusal refusal, std::uint64_t samples) {
  refused_[static_cast<std::size_t>(refusal)]->add(samples);
}

void WriteBooks::note(const heads::AppendCounts& counts) {
  stored_.add(counts.stored);
  late_.add(counts.late);
  repeated_.add(counts.repeats);
  conflicts_.add(counts.conflicts);
  note_refused(Refusal::kFault, counts.set_aside);
}

void WriteBooks::note_exemplars(const ExemplarCounts& counts) {
  exemplars_received_.add(counts.received);
  exemplars_refused_.add(counts.refused);
  exemplars_expired_.add(counts.expired);
}

void WriteBooks::note_metadata(const MetadataCounts& counts) {
  metadata_received_.add(counts.received);
  metadata_refused_.add(counts.refused);
  metadata_known_.add(counts.known);
  metadata_cut_.add(counts.cut);
}

void RequestBooks::note_refused(Refusal refusal, std::uint64_t samples) {
  books_.note_refused(refusal, samples);
  left_ -= samples;
}

void RequestBooks::note_expired(std::uint64_t samples) {
  books_.note_expired(samples);
  left_ -= samples;
}

void RequestBooks::note(const heads::AppendCounts& counts) {
  books_.note(counts);
  left_ = 0;
}

}  // namespace vigia::storage::api
