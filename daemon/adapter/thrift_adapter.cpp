#include "adapter/thrift_adapter.h"

#include "Adapter.h"
#include "adapter/detail/load_program.h"
#include "adapter/detail/run.h"
#include "adapter/detail/thrift_edge.h"
#include "adapter/detail/thrift_wire.h"

namespace isthmus::adapter {

Result<std::unique_ptr<ThriftAdapter>> ThriftAdapter::open(const std::filesystem::path& socket, const Clock& clock,
                                                           Limits limits) {
  auto peer = std::make_unique<detail::ThriftPeer>(socket, clock, limits, "");
  const Result<std::string> json = peer->describe();
  if (!json) return fail(json.error());
  Diagnostics diagnostics;
  std::shared_ptr<const detail::Descriptor> descriptor = detail::load_program(*json, socket.string(), diagnostics);
  if (!descriptor) {
    return fail("adapter.description",
                "the adapter program at " + socket.string() + " describes itself wrongly:\n" + diagnostics.to_string());
  }
  return std::unique_ptr<ThriftAdapter>(new ThriftAdapter(std::move(peer), std::move(descriptor)));
}

Result<std::unique_ptr<ThriftAdapter>> ThriftAdapter::open(const std::filesystem::path& socket, const Clock& clock) {
  return open(socket, clock, Limits());
}

std::unique_ptr<ThriftAdapter> ThriftAdapter::described(std::string_view description, const std::filesystem::path& file,
                                                        const std::filesystem::path& socket, const Clock& clock,
                                                        Limits limits, Diagnostics& diagnostics) {
  std::shared_ptr<const detail::Descriptor> descriptor = detail::load_program(description, file.string(), diagnostics);
  if (!descriptor) return nullptr;
  auto peer = std::make_unique<detail::ThriftPeer>(socket, clock, limits, std::string(description));
  return std::unique_ptr<ThriftAdapter>(new ThriftAdapter(std::move(peer), std::move(descriptor)));
}

Result<std::string> ThriftAdapter::ask_description(const std::filesystem::path& socket, const Clock& clock) {
  return detail::ThriftPeer(socket, clock, Limits(), "").describe();
}

Result<void> ThriftAdapter::meet() const { return peer_->meet(); }

ThriftAdapter::ThriftAdapter(std::unique_ptr<detail::ThriftPeer> peer,
                             std::shared_ptr<const detail::Descriptor> descriptor)
    : peer_(std::move(peer)), descriptor_(std::move(descriptor)) {
  if (descriptor_->auth) authenticator_.emplace(descriptor_->auth);
}
ThriftAdapter::~ThriftAdapter() = default;

const Description& ThriftAdapter::describe() const { return descriptor_->description; }

Result<Step> ThriftAdapter::advance(const Context& context, const Task& task, const Bytes& state,
                                    const Input& input) const {
  wire::Step step;
  const Result<void> done = peer_->call([&](wire::AdapterClient& program) {
    program.advance(step, detail::to_wire(context), detail::to_wire(task), state, detail::to_wire(input));
  });
  if (!done) return fail(done.error());
  return detail::from_wire(std::move(step));
}

Result<std::vector<Event>> ThriftAdapter::parse(const Context& context, const Call& call) const {
  std::vector<wire::Event> events;
  const Result<void> done = peer_->call(
      [&](wire::AdapterClient& program) { program.parse(events, detail::to_wire(context), detail::to_wire(call)); });
  if (!done) return fail(done.error());
  return detail::from_wire(std::move(events));
}

Result<Answer> ThriftAdapter::challenge(const Context& context, const Call& call) const {
  wire::Answer answer;
  const Result<void> done = peer_->call([&](wire::AdapterClient& program) {
    program.challenge(answer, detail::to_wire(context), detail::to_wire(call));
  });
  if (!done) return fail(done.error());
  return detail::from_wire(std::move(answer));
}

Result<std::vector<Problem>> ThriftAdapter::validate(const Context& context, const Command& command) const {
  std::vector<wire::Problem> problems;
  const Result<void> done = peer_->call([&](wire::AdapterClient& program) {
    program.validate(problems, detail::to_wire(context), detail::to_wire(command));
  });
  if (!done) return fail(done.error());
  return detail::from_wire(std::move(problems));
}

std::vector<std::string> ThriftAdapter::hosts(const Context& context) const {
  return detail::hosts_of(*descriptor_, context);
}

const Authenticator* ThriftAdapter::authenticator() const { return authenticator_ ? &*authenticator_ : nullptr; }

}  // namespace isthmus::adapter
