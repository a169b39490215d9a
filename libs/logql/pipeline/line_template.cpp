#include "libs/logql/pipeline/line_template.hpp"

#include <utility>

#include <fmt/format.h>

#include "libs/logql/limits.hpp"
#include "libs/logql/pipeline/template_node.hpp"

namespace vigia::logql::pipeline {
namespace {

std::size_t weight_of(const TemplateValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? sizeof(value) : text->size() + sizeof(value);
}

/// One run over one line. Its recursion is as deep as the template, which the parser bounds.
class TemplateRun {
 public:
  TemplateRun(const LineTemplate::Input& input, std::string& out) : input_(input), out_(out) {}

  Result<void> write(const std::vector<TemplateNode>& nodes) {
    for (const TemplateNode& node : nodes) {
      if (!node.pipe) {
        if (const auto done = charge(node.text.size()); !done) return done;
        out_ += node.text;
      } else {
        auto value = evaluate(*node.pipe);
        if (!value) return forward(value);
        if (node.is_condition) {
          const auto done = write(is_true(*value) ? node.then : node.otherwise);
          if (!done) return done;
        } else {
          out_ += text_of(*value);
        }
      }
      if (out_.size() > kFormattedBytesMax) {
        return fail(ErrorCode::kInvalid,
                    fmt::format("a text of more than {} bytes", kFormattedBytesMax));
      }
    }
    return {};
  }

 private:
  Result<TemplateValue> evaluate(const TemplatePipe& pipe) {
    std::optional<TemplateValue> last;
    for (const TemplateCommand& command : pipe.commands) {
      auto value = call(command, std::move(last));
      if (!value) return value;
      last = std::move(*value);
    }
    return std::move(*last);
  }

  Result<TemplateValue> call(const TemplateCommand& command, std::optional<TemplateValue> last) {
    std::vector<TemplateValue> arguments;
    arguments.reserve(command.operands.size() + 1);
    for (const TemplateOperand& operand : command.operands) {
      auto value = evaluate(operand);
      if (!value) return value;
      arguments.push_back(std::move(*value));
    }
    if (last) arguments.push_back(std::move(*last));
    std::size_t bytes = 0;
    for (const TemplateValue& argument : arguments) bytes += weight_of(argument);
    if (const auto done = charge(bytes); !done) return forward(done);
    if (command.function == nullptr) return std::move(arguments.front());
    auto made =
        command.function->call({arguments, command.regex ? &*command.regex : nullptr, input_.work});
    if (!made) return made;
    if (const auto done = charge(weight_of(*made)); !done) return forward(done);
    return made;
  }

  Result<void> charge(std::size_t bytes) {
    if (input_.work.take(bytes)) return {};
    return fail(ErrorCode::kInvalid,
                fmt::format("the templates have to look at more than {} bytes", kLineWorkBytesMax));
  }

  Result<TemplateValue> evaluate(const TemplateOperand& operand) {
    struct Evaluate {
      TemplateRun& run;
      Result<TemplateValue> operator()(const TemplateValue& value) { return value; }
      Result<TemplateValue> operator()(const TemplateOperand::LabelOf& label) {
        return TemplateValue(std::string(run.input_.labels.get(label.name)));
      }
      Result<TemplateValue> operator()(const TemplateOperand::Line& /*line*/) {
        return TemplateValue(std::string(run.input_.line));
      }
      Result<TemplateValue> operator()(const TemplateOperand::Time& /*time*/) {
        return TemplateValue(LineTime{run.input_.time_ns});
      }
      Result<TemplateValue> operator()(const std::unique_ptr<TemplatePipe>& pipe) {
        return run.evaluate(*pipe);
      }
    };
    return std::visit(Evaluate{*this}, operand.node);
  }

  const LineTemplate::Input& input_;
  std::string& out_;
};

}  // namespace

LineTemplate::LineTemplate(std::vector<TemplateNode> nodes) : nodes_(std::move(nodes)) {}
LineTemplate::LineTemplate(LineTemplate&&) noexcept = default;
LineTemplate& LineTemplate::operator=(LineTemplate&&) noexcept = default;
LineTemplate::~LineTemplate() = default;

Result<LineTemplate> LineTemplate::compile(std::string_view text, SelectorRegexes& regexes) {
  auto nodes = parse_template(text, regexes);
  if (!nodes) return forward(nodes);
  return LineTemplate(std::move(*nodes));
}

Result<void> LineTemplate::run(const Input& input, std::string& out) const {
  out.clear();
  return TemplateRun(input, out).write(nodes_);
}

}  // namespace vigia::logql::pipeline
