#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "expression/value.h"

namespace isthmus::expression {

/// What an evaluation gives: a value, or a typed absence. Never throws, never an error that a caller may overlook.
///   missing  a path that is not marked optional is absent or null, or choose() has no match; `??` repairs it
///   failed   a function could not work on what it was given, or a limit was met; nothing repairs it
class Outcome {
 public:
  enum class Status { ok, missing, failed };
  Outcome(Value value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor): a value is an outcome
  static Outcome missing(std::string what);           ///< what: the path or function, no content of the event
  static Outcome failed(std::string why);             ///< why: a sentence without content of the event

  [[nodiscard]] Status status() const { return status_; }
  [[nodiscard]] bool ok() const { return status_ == Status::ok; }
  [[nodiscard]] const Value& value() const& { return value_; }  ///< null unless ok
  [[nodiscard]] Value value() && { return std::move(value_); }
  [[nodiscard]] std::string_view reason() const;  ///< empty when ok

 private:
  Outcome(Status status, std::string reason);
  Status status_ = Status::ok;
  Value value_;
  std::shared_ptr<const std::string> reason_;  // absent when ok: the usual outcome is cheap to move
};

/// One named function: `input | name(arg, ...)`, or `name(input, arg, ...)`.
/// The callable is pure and total: same arguments, same outcome; no I/O, no clock, no state, no exception. Thread safe.
struct Function {
  using Call = std::function<Outcome(std::span<const Value> arguments)>;  ///< arguments[0] is the input

  std::string name;           ///< lower_case
  std::size_t arguments_min;  ///< with the input: 1 for `x | lower`, 0 only for one that needs no input
  std::size_t arguments_max;  ///< up to kArgumentsMax
  Call call;
  /// With null as input (an optional path that is absent) the result is null without a call, unless the function wants
  /// it.
  enum class NullInput { gives_null, is_passed } null_input = NullInput::gives_null;
  /// What the arguments after the input must be, a letter each, so that a wrong literal is found at load: i integer,
  /// n number, t text, a any. Shorter than the arguments: its last letter holds for the rest. Empty: any.
  std::string parameters = {};

  static constexpr std::size_t kArgumentsMax = 64;
};

/// Functions by name. Built once, then const and shared; must outlive what was compiled with it.
class Library {
 public:
  void add(Function function);  ///< a name that exists is a bug
  [[nodiscard]] const Function* find(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  std::map<std::string, Function, std::less<>> functions_;
};

/// The functions of docs/formats/expression-1.md. A copy: rooms add their own to it.
[[nodiscard]] Library standard_library();

}  // namespace isthmus::expression
