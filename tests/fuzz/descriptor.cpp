// The loader of descriptors, and the interpreter behind it. An input is a descriptor and, behind a line "@@@", the body
// of a reply or call. Any bytes end in an adapter or in mistakes with their places; whatever loads answers every task
// within its limits, sees no secret, and is the same twice.

#include <cstdint>
#include <string>
#include <string_view>

#include "adapter/descriptor_adapter.h"
#include "base/bytes.h"
#include "base/check.h"

namespace {

using namespace isthmus;

constexpr std::string_view kMark = "\n@@@\n";
constexpr std::string_view kNoWayOut = "n0-way-out";
constexpr std::string_view kInput =
    R"({"source":"f","external_id":"e","submitted_at":"2026-11-24T10:00:00Z","person":{"last":"L","email":"a@b.example"},)"
    R"("consent":{"given":true,"purposes":["crm"]},"text":"Bonjour","action":"click","url":"https://a.example/"})";

adapter::Context context_of(const adapter::Adapter& adapter) {
  adapter::Context context;
  context.now_ms = 1'795'514'405'000;
  for (const adapter::FieldSpec& field : adapter.describe().fields)
    context.connection[field.name] = field.type == "secret" ? std::string(kNoWayOut) : "https://demo.example";
  return context;
}

void check_request(const adapter::HttpRequest& request) {
  ISTHMUS_CHECK(request.url.find(kNoWayOut) == std::string::npos, "no secret in an address");
  ISTHMUS_CHECK(request.url.find_first_of("\r\n ") == std::string::npos, "an address is one line");
  for (const adapter::Header& header : request.headers) {
    ISTHMUS_CHECK(header.value.find_first_of("\r\n") == std::string::npos, "a header is one line");
    ISTHMUS_CHECK(header.value.find(kNoWayOut) == std::string::npos, "no secret in a header");
  }
  if (const auto* body = std::get_if<Bytes>(&request.body))
    ISTHMUS_CHECK(body->find(kNoWayOut) == std::string::npos, "no secret in a body");
}

/// Works a task to its end, each request answered with the same reply; the host allows as many moves.
void work(const adapter::Adapter& adapter, const adapter::Context& context, const adapter::Task& task,
          const Bytes& body) {
  constexpr int kMovesMax = 64;
  constexpr std::size_t kStateMax = 4096;
  Bytes state;
  adapter::Input input = adapter::First{};
  for (int move = 0; move < kMovesMax; ++move) {
    const Result<adapter::Step> step = adapter.advance(context, task, state, input);
    const Result<adapter::Step> again = adapter.advance(context, task, state, input);
    ISTHMUS_CHECK(step.has_value() == again.has_value(), "the same twice");
    if (!step) return;
    ISTHMUS_CHECK(step->state == again->state && step->state.size() <= kStateMax, "state keeps to its size");
    state = step->state;
    if (std::holds_alternative<adapter::Done>(step->move)) return;
    if (const auto* request = std::get_if<adapter::HttpRequest>(&step->move)) {
      check_request(*request);
      input = move % 3 == 2 ? adapter::Input(adapter::Loss::timeout_sent)
                            : adapter::Input(adapter::HttpReply{200, {{"Link", "</b>; rel=\"next\""}}, body});
    } else {
      input = adapter::Waited{};
    }
  }
}

void use(const adapter::DescriptorAdapter& adapter, const Bytes& body) {
  const adapter::Context context = context_of(adapter);
  ISTHMUS_CHECK(!adapter.describe().name.empty() && is_utf8(adapter.describe().name), "an adapter has a name");
  (void)adapter.hosts(context);
  for (const adapter::OperationSpec& operation : adapter.describe().operations) {
    adapter::Command command;
    command.id = "5b2c9a3e-0000-8000-8000-000000000001";
    command.verb = operation.verb;
    command.operation = operation.name;
    command.format = operation.format;
    command.body = Bytes(kInput);
    (void)adapter.validate(context, command);
    work(adapter, context, adapter::Deliver{{command}}, body);
    if (operation.reconcilable) work(adapter, context, adapter::Reconcile{command}, body);
  }
  for (const adapter::StreamSpec& stream : adapter.describe().streams) {
    work(adapter, context, adapter::Collect{stream.name, {}, 10}, body);
    adapter::Call poll;
    poll.kind = "poll";
    poll.stream = stream.name;
    poll.status = 200;
    poll.body = body;
    (void)adapter.parse(context, poll);
  }
  work(adapter, context, adapter::Check{}, body);
  adapter::Call hook;
  hook.kind = "webhook";
  hook.method = "POST";
  hook.body = body;
  (void)adapter.parse(context, hook);
  (void)adapter.challenge(context, hook);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t mark = text.find(kMark);
  const Bytes body(mark == std::string_view::npos ? std::string_view() : text.substr(mark + kMark.size()));
  Diagnostics mistakes;
  const auto adapter = adapter::read_descriptor(text.substr(0, mark), "descriptor.yaml", mistakes);
  ISTHMUS_CHECK((adapter != nullptr) != mistakes.has_errors(), "refused with a reason or loaded without");
  ISTHMUS_CHECK(is_utf8(mistakes.to_string()), "a mistake can be told");
  if (adapter) use(*adapter, body);
  return 0;
}
