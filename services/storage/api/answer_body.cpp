#include "services/storage/api/answer_body.hpp"

#include "libs/base/json_text.hpp"

namespace vigia::storage::api {
namespace {

// A text that grows is there twice while it is copied.
constexpr std::size_t kGrowth = 2;

}  // namespace

std::string_view share_of(const read::Fence& fence) {
  return fence.has_value() ? std::string_view(fence->text()) : std::string_view();
}

Result<void> AnswerBody::add(std::string_view item) {
  if (auto fits = memory_->add(kGrowth * (item.size() + 1)); !fits) return fits;
  if (items_++ > 0) text_ += ',';
  text_ += item;
  return {};
}

void AnswerBody::tell(std::string_view name, std::string_view json) {
  told_.append(",\"").append(name).append("\":").append(json);
}

net::Response AnswerBody::finish(std::string_view warning, std::string_view cursor) {
  text_ += end_;
  text_ += told_;
  if (!cursor.empty()) text_.append(R"(,"cursor":")").append(cursor).append("\"");
  warnings_.insert(warnings_.begin(), std::string(warning));
  warnings_.push_back(gaps_);
  std::string warnings;
  for (const std::string& one : warnings_) {
    if (one.empty()) continue;
    warnings += warnings.empty() ? "" : ",";
    warnings += json_text(one);
  }
  if (!warnings.empty()) text_ += R"(,"warnings":[)" + warnings + ']';
  text_ += '}';
  return json_answer(std::move(text_), std::move(memory_));
}

net::Response json_answer(std::string text, std::shared_ptr<lanes::AnswerMemory> memory) {
  net::Response response;
  response.headers.add("content-type", "application/json");
  response.body = std::move(text);
  if (memory->used() > response.body.size()) {
    memory->release(memory->used() - response.body.size());
  }
  response.held = std::move(memory);
  return response;
}

}  // namespace vigia::storage::api
