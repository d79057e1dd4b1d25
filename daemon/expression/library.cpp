#include "expression/library.h"

#include "base/check.h"

namespace isthmus::expression {

Outcome::Outcome(Status status, std::string reason)
    : status_(status), reason_(std::make_shared<const std::string>(std::move(reason))) {}
Outcome Outcome::missing(std::string what) { return {Status::missing, std::move(what)}; }
Outcome Outcome::failed(std::string why) { return {Status::failed, std::move(why)}; }
std::string_view Outcome::reason() const { return reason_ ? std::string_view(*reason_) : std::string_view(); }

void Library::add(Function function) {
  ISTHMUS_CHECK(!function.name.empty() && function.call && function.arguments_max <= Function::kArgumentsMax,
                "a function has a name, a body and a bounded number of arguments");
  std::string name = function.name;
  const bool added = functions_.emplace(std::move(name), std::move(function)).second;
  ISTHMUS_CHECK(added, "a function has a name of its own");
}

const Function* Library::find(std::string_view name) const {
  const auto found = functions_.find(name);
  return found == functions_.end() ? nullptr : &found->second;
}

std::vector<std::string> Library::names() const {
  std::vector<std::string> names;
  for (const auto& function : functions_) names.push_back(function.first);
  return names;
}

}  // namespace isthmus::expression
