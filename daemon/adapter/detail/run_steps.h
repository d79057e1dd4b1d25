#pragma once

#include <string>
#include <variant>
#include <vector>

#include "adapter/contract.h"
#include "adapter/detail/classify.h"
#include "adapter/detail/run_state.h"
#include "adapter/detail/scopes.h"

namespace isthmus::adapter::detail {

/// Works a list of steps: one call, one move. What a step's own list says (deliver, reconcile) is told to whoever
/// asked. Borrowed for one call of advance().
class StepRun {
 public:
  struct Finished {};   ///< every step is done; taken holds what was read
  struct Unbuildable {  ///< the next request cannot be built from the command
    std::string reason;
  };
  using Move = std::variant<HttpRequest, Wait, Finished, Fate, Unbuildable>;

  StepRun(const Descriptor& descriptor, const std::vector<StepPlan>& steps,
          const std::vector<std::pair<std::string, ValuePlan>>& let, std::string_view operation, std::int64_t now_ms,
          Reading& reading, RunState state);

  Move advance(const Input& input);
  [[nodiscard]] const RunState& state() const { return state_; }

 private:
  Move on_reply(const HttpReply& reply);
  Move on_poll(const HttpReply& reply, bool readable);
  Move on_fate(const Fate& fate);
  Move next();                                       ///< leaves the step (or its item) and enters the following one
  Move enter();                                      ///< finds the step to send, from state_ on
  Move ask();                                        ///< renders the step's or the poll's request
  Move unreadable(const std::string& reason) const;  ///< a success that cannot be read: it may have acted
  void publish();                                    ///< shows taken, let and the item to the expressions
  bool bind_item(const StepPlan& step);              ///< false: no such item (left)
  bool take_from_reply(const std::vector<std::pair<std::string, ValuePlan>>& take, bool append, std::string& reason);
  [[nodiscard]] const StepPlan& step() const { return steps_[state_.step]; }

  const Descriptor& descriptor_;
  const std::vector<StepPlan>& steps_;
  const std::vector<std::pair<std::string, ValuePlan>>& let_;
  std::string_view operation_;
  std::int64_t now_ms_;
  Reading& reading_;
  RunState state_;
};

}  // namespace isthmus::adapter::detail
