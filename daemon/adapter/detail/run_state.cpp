#include "adapter/detail/run_state.h"

#include "base/json.h"

namespace isthmus::adapter::detail {

using expression::Value;

Bytes RunState::to_bytes() const {
  JsonWriter writer;
  writer.begin_object();
  writer.member("s", static_cast<std::int64_t>(step));
  if (item != 0) writer.member("i", static_cast<std::int64_t>(item));
  if (polls != 0) writer.member("n", polls);
  if (polling) writer.member("p", true);
  if (!taken.empty()) {
    writer.key("t");
    Value::object(taken).to_json(writer);
  }
  writer.end_object();
  return std::move(writer).text();
}

Result<RunState> RunState::from_bytes(const Bytes& bytes) {
  RunState out;
  if (bytes.empty()) return out;
  const Result<expression::Document> document = expression::Document::parse(bytes);
  if (!document || !document->root().is_object())
    return fail("adapter.fault", "the task's state is not one of this adapter");
  const Value root = document->root();
  out.step = static_cast<std::size_t>(root.get("s").as_integer().value_or(0));
  out.item = static_cast<std::size_t>(root.get("i").as_integer().value_or(0));
  out.polls = static_cast<int>(root.get("n").as_integer().value_or(0));
  out.polling = root.get("p").truthy();
  for (const auto& [name, value] : root.get("t").members()) out.taken.emplace_back(std::string(name), value.owned());
  return out;
}

void RunState::take(const std::string& name, Value value, bool append) {
  for (auto& [known, old] : taken) {
    if (known != name) continue;
    if (!append) {
      old = value.owned();
      return;
    }
    Value::List items = old.items();
    items.push_back(value.owned());
    old = Value::list(std::move(items));
    return;
  }
  taken.emplace_back(name, append ? Value::list({value.owned()}) : value.owned());
}

}  // namespace isthmus::adapter::detail
