#pragma once

#include <list>
#include <string>

#include "adapter/detail/descriptor.h"

namespace isthmus::adapter::detail {

/// What one call of the adapter may read, by name, and the parsed documents that those values borrow from.
/// Lives for one call, on one thread; not copied.
class Reading {
 public:
  Reading() = default;
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  [[nodiscard]] expression::MapScope& scope() { return scope_; }
  /// The JSON's value, kept until the end; null when the text is not JSON (good() tells).
  expression::Value parse(std::string_view json, bool* good = nullptr);
  expression::Value keep(Bytes text);  ///< text that lives as long as this

  void set_context(const Descriptor& descriptor, const Context& context);
  void set_command(const Command& command);
  void set_commands(const std::vector<Command>& commands);
  /// $, reply, error. @return false when there is a body that is no JSON.
  bool set_reply(const Descriptor& descriptor, const HttpReply& reply, Decode decode = Decode::json);
  void set_failure(Loss loss);
  /// Evaluates `let`: names in order, each may read those before it; what cannot be had yet is absent.
  void set_let(const std::vector<std::pair<std::string, ValuePlan>>& let);

 private:
  expression::MapScope scope_;
  std::list<expression::Document> documents_;
  std::list<Bytes> texts_;
};

[[nodiscard]] expression::Value attrs_value(const Attrs& attrs);
[[nodiscard]] expression::Value headers_value(const std::vector<Header>& headers);  ///< names in lower case
/// Text as it is, or "" when it is not UTF-8, which no JSON can carry.
[[nodiscard]] expression::Value text_value(std::string_view text);

/// The template's text, or empty when it is absent or cannot be had.
[[nodiscard]] std::string text_of(const std::optional<expression::Template>& text, const expression::Scope& scope);

}  // namespace isthmus::adapter::detail
