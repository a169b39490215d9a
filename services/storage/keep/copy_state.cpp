#include "services/storage/keep/copy_state.hpp"

#include <fstream>
#include <utility>

#include <fmt/format.h>

#include "services/storage/keep/whole_file.hpp"

namespace vigia::storage::keep {
namespace {

constexpr std::string_view kHead = "vigia copy 1";
constexpr std::string_view kBehindAll = "~";  // no customer's name comes behind it

}  // namespace

Result<CopyState> CopyState::load(std::string file, std::string copy) {
  CopyState state(std::move(file), std::move(copy));
  if (state.file_.empty()) return state;
  std::ifstream stream(state.file_);
  if (!stream.is_open()) return state;
  std::string head;
  std::string line;
  unsigned part = 0;
  std::getline(stream, head);
  std::getline(stream, line);
  const bool is_read = static_cast<bool>(stream >> state.next_.customer >> part >> state.next_.day);
  if (head != kHead || line != state.copy_ || !is_read ||
      part > static_cast<unsigned>(CopyPart::kRollups)) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{} is of another copy: delete it, or name another", state.file_));
  }
  state.next_.part = static_cast<CopyPart>(part);
  return state;
}

bool CopyState::is_done(const CustomerId& customer, CopyPart part) const {
  return CopyPlace{customer.text(), part, UINT32_MAX} < next_;
}

std::uint32_t CopyState::first_day(const CustomerId& customer, CopyPart part) const {
  return next_.customer == customer.text() && next_.part == part ? next_.day : 0;
}

Result<void> CopyState::note_next(const CopyPlace& next) {
  next_ = next;
  if (file_.empty()) return {};
  return write_whole(file_, fmt::format("{}\n{}\n{} {} {}\n", kHead, copy_, next.customer,
                                        static_cast<unsigned>(next.part), next.day));
}

Result<void> CopyState::note_end() {
  return note_next({std::string(kBehindAll), CopyPart::kSamples, 0});
}

}  // namespace vigia::storage::keep
