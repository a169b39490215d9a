#include "services/collector/exporters/debug/line_budget.hpp"

#include <utility>

namespace vigia::collector::exporters::debug {

void LineBudget::begin_second() {
  const TimePoint now = clock_.steady();
  if (began_ != TimePoint{} && now < began_ + std::chrono::seconds(1)) return;
  began_ = now;
  spent_.clear();
  lines_ = 0;
  left_out_before_ += std::exchange(left_out_, 0);
}

bool LineBudget::shows_request(const CustomerId& customer) {
  begin_second();
  const std::uint32_t number = spent_[customer.text()].requests++;
  if (number < sampling_.initial) return true;
  if (sampling_.thereafter == 0) return false;
  return (number - sampling_.initial + 1) % sampling_.thereafter == 0;
}

bool LineBudget::takes_line(const CustomerId& customer) {
  begin_second();
  Spent& spent = spent_[customer.text()];
  if (spent.lines >= kCustomerLinesMax || lines_ >= kLinesMax) {
    ++left_out_;
    return false;
  }
  ++spent.lines;
  ++lines_;
  return true;
}

std::uint64_t LineBudget::take_left_out() {
  begin_second();
  return std::exchange(left_out_before_, 0);
}

}  // namespace vigia::collector::exporters::debug
