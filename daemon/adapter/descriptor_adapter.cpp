#include "adapter/descriptor_adapter.h"

#include <fstream>
#include <iterator>

#include "adapter/detail/descriptor.h"
#include "adapter/detail/loader.h"
#include "adapter/detail/run.h"

namespace isthmus::adapter {

DescriptorAdapter::DescriptorAdapter(std::shared_ptr<const detail::Descriptor> descriptor)
    : descriptor_(std::move(descriptor)) {
  if (descriptor_->auth) authenticator_.emplace(descriptor_->auth);
}
DescriptorAdapter::~DescriptorAdapter() = default;

const Description& DescriptorAdapter::describe() const { return descriptor_->description; }

Result<Step> DescriptorAdapter::advance(const Context& context, const Task& task, const Bytes& state,
                                        const Input& input) const {
  if (const auto* deliver = std::get_if<Deliver>(&task))
    return detail::advance_deliver(*descriptor_, context, *deliver, state, input);
  if (const auto* collect = std::get_if<Collect>(&task))
    return detail::advance_collect(*descriptor_, context, *collect, input);
  if (const auto* look = std::get_if<Reconcile>(&task))
    return detail::advance_reconcile(*descriptor_, context, *look, state, input);
  return detail::advance_check(*descriptor_, context, std::get<Check>(task), input);
}

Result<std::vector<Event>> DescriptorAdapter::parse(const Context& context, const Call& call) const {
  return detail::parse_call(*descriptor_, context, call);
}
Result<Answer> DescriptorAdapter::challenge(const Context& context, const Call& call) const {
  return detail::answer_challenge(*descriptor_, context, call);
}
Result<std::vector<Problem>> DescriptorAdapter::validate(const Context& context, const Command& command) const {
  return detail::problems_of(*descriptor_, context, command);
}
std::vector<std::string> DescriptorAdapter::hosts(const Context& context) const {
  return detail::hosts_of(*descriptor_, context);
}
const Authenticator* DescriptorAdapter::authenticator() const { return authenticator_ ? &*authenticator_ : nullptr; }

std::unique_ptr<DescriptorAdapter> read_descriptor(std::string_view yaml, const std::string& file,
                                                   Diagnostics& diagnostics) {
  std::shared_ptr<const detail::Descriptor> descriptor = detail::load_descriptor(yaml, file, diagnostics);
  return descriptor ? std::make_unique<DescriptorAdapter>(std::move(descriptor)) : nullptr;
}

std::unique_ptr<DescriptorAdapter> load_descriptor(const std::filesystem::path& path, Diagnostics& diagnostics) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    diagnostics.add(
        {path.string(), 0, 0, Diagnostic::Severity::error, "descriptor.unreadable", "", "the file cannot be read"});
    return nullptr;
  }
  const std::string yaml{std::istreambuf_iterator<char>(in), {}};
  return read_descriptor(yaml, path.string(), diagnostics);
}

}  // namespace isthmus::adapter
