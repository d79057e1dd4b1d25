#pragma once

#include <functional>

#include "adapter/auth.h"
#include "adapter/contract.h"

namespace isthmus::test {

/// An adapter whose moves a test writes. Set everything before it is used; then it is as thread safe as what was given.
class ScriptedAdapter final : public adapter::Adapter {
 public:
  explicit ScriptedAdapter(std::string name) {
    description.name = std::move(name);
    description.sha256 = Bytes(32, 'd');
  }

  using Advance = std::function<Result<adapter::Step>(const adapter::Context&, const adapter::Task&, const Bytes& state,
                                                      const adapter::Input&)>;

  adapter::Description description;
  Advance on_advance = [](const auto&, const auto&, const Bytes&, const auto&) -> Result<adapter::Step> {
    return adapter::Step{adapter::Done(adapter::Page()), {}};
  };
  std::function<std::vector<adapter::Event>(const adapter::Call&)> on_parse;
  std::function<std::vector<adapter::Problem>(const adapter::Command&)> on_validate;
  std::vector<std::string> needed_hosts;
  const adapter::Authenticator* auth = nullptr;
  bool program = false;

  [[nodiscard]] const adapter::Description& describe() const override { return description; }
  [[nodiscard]] Result<adapter::Step> advance(const adapter::Context& context, const adapter::Task& task,
                                              const Bytes& state, const adapter::Input& input) const override {
    return on_advance(context, task, state, input);
  }
  [[nodiscard]] Result<std::vector<adapter::Event>> parse(const adapter::Context&,
                                                          const adapter::Call& call) const override {
    return on_parse ? on_parse(call) : std::vector<adapter::Event>();
  }
  [[nodiscard]] Result<adapter::Answer> challenge(const adapter::Context&, const adapter::Call&) const override {
    return fail("adapter.fault", "nothing asks this adapter to prove its address");
  }
  [[nodiscard]] Result<std::vector<adapter::Problem>> validate(const adapter::Context&,
                                                               const adapter::Command& command) const override {
    return on_validate ? on_validate(command) : std::vector<adapter::Problem>();
  }
  [[nodiscard]] std::vector<std::string> hosts(const adapter::Context&) const override { return needed_hosts; }
  [[nodiscard]] const adapter::Authenticator* authenticator() const override { return auth; }
  [[nodiscard]] bool is_program() const override { return program; }
};

/// A request as most scripts make it.
[[nodiscard]] inline adapter::Step get(const std::string& url, Bytes state = {}) {
  adapter::HttpRequest request;
  request.method = "GET";
  request.url = url;
  return {request, std::move(state)};
}

}  // namespace isthmus::test
