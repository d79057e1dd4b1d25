#include "adapter/detail/thrift_wire.h"

namespace isthmus::adapter::detail {
namespace {

std::vector<wire::Header> headers_to_wire(const std::vector<Header>& headers) {
  std::vector<wire::Header> out(headers.size());
  for (std::size_t i = 0; i < headers.size(); ++i) {
    out[i].name = headers[i].name;
    out[i].value = headers[i].value;
  }
  return out;
}

wire::Media to_wire(const Media& media) {
  wire::Media out;
  out.blob = media.blob;
  out.mime = media.mime;
  out.bytes = media.bytes;
  if (!media.alt_text.empty()) out.__set_alt_text(media.alt_text);
  return out;
}

}  // namespace

wire::Context to_wire(const Context& context) {
  wire::Context out;
  out.now_ms = context.now_ms;
  out.connection = context.connection;
  if (!context.facts_json.empty()) out.__set_facts(context.facts_json);
  out.attempt = context.attempt;
  if (context.first_attempt_ms != 0) out.__set_first_attempt_ms(context.first_attempt_ms);
  if (!context.auth.empty()) out.__set_auth(context.auth);
  return out;
}

wire::Command to_wire(const Command& command) {
  wire::Command out;
  out.id = command.id;
  out.verb = static_cast<wire::Verb::type>(command.verb);
  out.operation = command.operation;
  out.format = command.format;
  out.body = command.body;
  if (!command.media.empty()) {
    std::vector<wire::Media> media;
    for (const Media& one : command.media) media.push_back(to_wire(one));
    out.__set_media(media);
  }
  if (!command.remote_id.empty()) out.__set_remote_id(command.remote_id);
  if (command.not_after_ms != 0) out.__set_not_after_ms(command.not_after_ms);
  return out;
}

wire::Task to_wire(const Task& task) {
  wire::Task out;
  if (const auto* deliver = std::get_if<Deliver>(&task)) {
    for (const Command& command : deliver->commands) out.deliver.push_back(to_wire(command));
    out.__isset.deliver = true;
  } else if (const auto* collect = std::get_if<Collect>(&task)) {
    out.collect.stream = collect->stream;
    if (!collect->cursor.empty()) out.collect.__set_cursor(collect->cursor);
    out.collect.limit = collect->limit;
    out.__isset.collect = true;
  } else if (const auto* look = std::get_if<Reconcile>(&task)) {
    out.reconcile.command = to_wire(look->command);
    out.reconcile.sent_after_ms = look->sent_after_ms;
    out.__isset.reconcile = true;
  } else {
    out.__set_check(std::get<Check>(task).what);
  }
  return out;
}

wire::Input to_wire(const Input& input) {
  wire::Input out;
  if (const auto* reply = std::get_if<HttpReply>(&input)) {
    out.reply.status = reply->status;
    out.reply.headers = headers_to_wire(reply->headers);
    out.reply.body = reply->body;
    out.__isset.reply = true;
  } else if (const auto* loss = std::get_if<Loss>(&input)) {
    out.__set_loss(static_cast<wire::Loss::type>(*loss));
  } else if (std::holds_alternative<Waited>(input)) {
    out.__isset.waited = true;
  } else {
    out.__isset.first = true;
  }
  return out;
}

wire::Call to_wire(const Call& call) {
  wire::Call out;
  out.kind = call.kind;
  out.method = call.method;
  out.path = call.path;
  out.query = call.query;
  out.headers = headers_to_wire(call.headers);
  out.body = call.body;
  out.received_ms = call.received_ms;
  if (!call.stream.empty()) out.__set_stream(call.stream);
  if (call.status != 0) out.__set_status(call.status);
  return out;
}

}  // namespace isthmus::adapter::detail
