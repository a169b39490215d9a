// Texts and items of strangers: what is read can be run, twice to the same end, and the customer of
// the resource stays. The input's first line is a statement or a condition, the rest a log record.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <protozero/exception.hpp>

#include "libs/base/check.hpp"
#include "libs/ottl/limits.hpp"
#include "libs/ottl/program.hpp"
#include "libs/wire/edit/editable.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace ottl = vigia::ottl;
namespace edit = vigia::wire::edit;
namespace otlp = vigia::wire::otlp;

namespace {

constexpr std::uint64_t kWork = 64ULL << 20U;

const std::string& resource() {
  static const std::string made = [] {
    edit::Editable empty(std::string_view{}, otlp::ResourceField::kAttributes);
    empty.set_attribute("customer.id",
                        "\x0a\x01"
                        "a");
    empty.set_attribute("b",
                        "\x0a\x01"
                        "c");
    std::string out;
    empty.append_to(out);
    return out;
  }();
  return made;
}

struct Messages {
  explicit Messages(std::string_view log) {
    resource_message.open(resource(), otlp::ResourceField::kAttributes);
    scope.open({}, otlp::ScopeField::kAttributes);
    item.open(log, otlp::LogRecordField::kAttributes);
    cache.open({}, otlp::ValuesField::kValues);
    record.set(ottl::MessageLevel::kResource, &resource_message);
    record.set(ottl::MessageLevel::kScope, &scope);
    record.set(ottl::MessageLevel::kLog, &item);
    record.set(ottl::MessageLevel::kCache, &cache);
  }
  edit::Editable resource_message;
  edit::Editable scope;
  edit::Editable item;
  edit::Editable cache;
  ottl::Record record;
};

template <typename Run>
std::string outcome(std::string_view log, const Run& run) {
  Messages messages(log);
  ottl::Evaluation evaluation;
  evaluation.begin_request(kWork, kWork);
  evaluation.begin(messages.record);
  std::string out;
  try {
    out = run(evaluation);
    messages.item.append_to(out);
    messages.resource_message.append_to(out);
  } catch (const protozero::exception&) {
    out += "damaged";
  } catch (const ottl::WorkIsUsedUp&) {
    out += "used up";
  } catch (const edit::TooManyAttributes&) {
    out += "many";
  }
  CHECK(otlp::string_value(messages.resource_message.attribute("customer.id").value_or("")) == "a");
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\n');
  const std::string_view text = input.substr(0, end);
  const std::string_view log = end == std::string_view::npos ? "" : input.substr(end + 1);
  ottl::CompileBudget budget;
  if (const auto condition = ottl::Condition::compile(text, ottl::Context::kLog, budget)) {
    const auto run = [&](ottl::Evaluation& evaluation) {
      bool is_met = false;
      if (!condition->test(evaluation, is_met)) return condition->describe(evaluation.fault());
      return std::string(is_met ? "true" : "false");
    };
    // What the time is differs from one run to the next.
    const std::string first = outcome(log, run);
    CHECK(text.find("Now") != std::string_view::npos || outcome(log, run) == first);
  }
  if (const auto statement = ottl::Statement::compile(text, ottl::Context::kLog, budget)) {
    const auto run = [&](ottl::Evaluation& evaluation) {
      return statement->run(evaluation) ? std::string() : statement->describe(evaluation.fault());
    };
    const std::string first = outcome(log, run);
    CHECK(text.find("Now") != std::string_view::npos || outcome(log, run) == first);
  }
  return 0;
}
