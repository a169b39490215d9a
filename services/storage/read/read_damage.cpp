#include "services/storage/read/read_damage.hpp"

#include <fmt/format.h>

#include "libs/service/log.hpp"

namespace vigia::storage::read {

bool ReadDamage::takes(const Error& error) {
  if (error.code != ErrorCode::kCorrupt) return false;
  if (series_++ == 0) {
    service::log_error("a series cannot be read and is left out (further ones are only counted)",
                       {{"why", error.message}});
  }
  return true;
}

void ReadDamage::note_rows(std::uint64_t count) {
  if (count == 0 || rows_.fetch_add(count) > 0) return;
  service::log_error(
      "stored rows of a series cannot be read and are left out of answers (further ones are only "
      "counted)",
      {{"rows", fmt::to_string(count)}});
}

void ReadDamage::note_histograms(std::uint64_t count) {
  if (count == 0 || histograms_.fetch_add(count) > 0) return;
  service::log_error(
      "stored histograms that no Prometheus can work with are left out of answers (further ones "
      "are only counted)",
      {{"histograms", fmt::to_string(count)}});
}

}  // namespace vigia::storage::read
