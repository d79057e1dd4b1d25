#include "expression/expression.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "expression/detail/evaluator.h"
#include "expression/detail/parser.h"

namespace isthmus::expression {
namespace {

bool acceptable(std::string_view text, Reporter& reporter) {
  if (text.size() > Limits::source_bytes_max) {
    reporter.report(0, "expression.limit", fmt::format("the text is longer than {} bytes", Limits::source_bytes_max));
  } else if (!is_utf8(text)) {
    reporter.report(0, "expression.syntax", "the text is not UTF-8");
  }
  return !reporter.failed();
}

std::shared_ptr<const Program> finished(Program program) {
  std::sort(program.paths.begin(), program.paths.end());
  program.paths.erase(std::unique(program.paths.begin(), program.paths.end()), program.paths.end());
  return std::make_shared<const Program>(std::move(program));
}

// After a syntax error: the next `}`, so that later pieces are judged too.
std::size_t skip(std::string_view text, std::size_t from) { return std::min(text.find('}', from), text.size()); }

void add_text(Program& program, std::string_view text) {
  if (text.empty()) return;
  if (!program.pieces.empty() && !program.pieces.back().node) {
    program.pieces.back().literal += text;
  } else {
    program.pieces.push_back(Piece{std::string(text), std::nullopt});
  }
}

}  // namespace

std::optional<Expression> Expression::compile(std::string_view text, const Origin& origin, const Checks& checks,
                                              Diagnostics& diagnostics) {
  Reporter reporter(text, origin, diagnostics);
  if (!acceptable(text, reporter)) return std::nullopt;
  Program program;
  Parser parser(text, 0, checks, program, reporter);
  const auto root = parser.parse();
  if (root && parser.end_offset() < text.size()) {
    reporter.report(parser.end_offset(), "expression.syntax", "a \"}\" has no meaning here");
  }
  if (!root || reporter.failed()) return std::nullopt;
  program.pieces.push_back(Piece{"", *root});
  return Expression(finished(std::move(program)));
}

Outcome Expression::evaluate(const Scope& scope) const {
  return Evaluator(*program_, scope).evaluate(*program_->pieces.front().node);
}

Expression::Truth Expression::test(const Scope& scope) const {
  const Outcome outcome = evaluate(scope);
  if (!outcome.ok()) return Truth::failed;
  return outcome.value().truthy() ? Truth::yes : Truth::no;
}

const std::vector<std::string>& Expression::paths() const { return program_->paths; }

std::optional<Template> Template::compile(std::string_view text, const Origin& origin, const Checks& checks,
                                          Diagnostics& diagnostics) {
  Reporter reporter(text, origin, diagnostics);
  if (!acceptable(text, reporter)) return std::nullopt;
  Program program;
  std::size_t next = 0;
  while (next < text.size()) {
    const std::size_t open = std::min(text.find("${", next), text.size());
    const bool escaped = open > next && open < text.size() && text[open - 1] == '$';
    add_text(program, text.substr(next, open - next - (escaped ? 1 : 0)));
    if (escaped) add_text(program, "${");
    next = std::min(open + 2, text.size());
    if (escaped || open == text.size()) continue;
    Parser parser(text, next, checks, program, reporter);
    const auto root = parser.parse();
    const std::size_t close = root ? parser.end_offset() : skip(text, parser.end_offset());
    if (close >= text.size() && root) reporter.report(open, "expression.syntax", "this ${ is not closed");
    if (root) program.pieces.push_back(Piece{"", *root});
    next = close + 1;
  }
  if (reporter.failed()) return std::nullopt;
  return Template(finished(std::move(program)));
}

Outcome Template::evaluate(const Scope& scope) const {
  if (program_->pieces.size() == 1 && program_->pieces.front().node) {
    return Evaluator(*program_, scope).evaluate(*program_->pieces.front().node);
  }
  return render(scope, nullptr);
}

Outcome Template::render(const Scope& scope, Encoder encode) const {
  Evaluator evaluator(*program_, scope);
  std::string out;
  std::string piece_text;
  for (const Piece& piece : program_->pieces) {
    if (!piece.node) {
      out += piece.literal;
      continue;
    }
    Outcome value = evaluator.evaluate(*piece.node);
    if (!value.ok()) return value;
    piece_text.clear();
    std::string_view why = evaluator.append(value.value(), encode == nullptr ? out : piece_text);
    if (why.empty() && encode != nullptr && !encode(piece_text, out))
      why = "the value does not fit the place it is written to";
    if (why.empty() && out.size() > Limits::text_bytes_max) why = "the text is longer than the limit";
    if (!why.empty()) return Outcome::failed(std::string(why));
  }
  return Value::text(std::move(out));
}

bool Template::is_literal() const {
  return std::none_of(program_->pieces.begin(), program_->pieces.end(),
                      [](const Piece& p) { return p.node.has_value(); });
}

const std::vector<std::string>& Template::paths() const { return program_->paths; }

}  // namespace isthmus::expression
