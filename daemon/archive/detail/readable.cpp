#include "archive/detail/readable.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>

namespace isthmus::archive::detail {
namespace {

std::string first_string(const simdjson::dom::element& root, std::initializer_list<const char*> pointers) {
  for (const char* pointer : pointers) {
    std::string_view value;
    if (root.at_pointer(pointer).get_string().get(value) == simdjson::SUCCESS && !value.empty())
      return std::string(value);
  }
  return {};
}

std::string csv_cell(std::string_view text) {
  std::string cell = "\"";
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) cell += '\'';
  for (const char c : text) {
    if (c == '"') cell += '"';
    cell += c;
  }
  return cell + '"';
}

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

Summary summary_of(const BagRecord& record) {
  return record.opened ? detail::summary_of(record.opened->body) : Summary{{}, record.reason};
}

}  // namespace

Summary summary_of(const std::string& body) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(body).get(root) != simdjson::SUCCESS) return {{}, body};
  Summary out;
  out.author =
      first_string(root, {"/author", "/actor/preferredUsername", "/actor/name", "/activity/actor/preferredUsername",
                          "/activity/actor/name", "/person/name", "/lead/person/name", "/subject"});
  out.text = first_string(root, {"/text", "/post/text", "/object/content", "/activity/object/content", "/message",
                                 "/lead/message", "/reason", "/action", "/metric/action"});
  if (out.text.empty()) out.text = body;
  return out;
}

std::string csv_head() { return "index,at,kind,connection,author,text,body,record\r\n"; }

std::string csv_row(const BagRecord& record, const Header& header) {
  const Summary summary = summary_of(record);
  return fmt::format("{},{},{},{},{},{},{},{}\r\n", record.index, to_rfc3339(header.at), name_of(header.kind),
                     header.connection ? header.connection->to_string() : "", csv_cell(summary.author),
                     csv_cell(summary.text), record.opened ? "shown" : "withheld", header.id.to_string());
}

std::string html_head(const BagInfo& info) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<title>Archive of {0}</title>\n<style>\nbody {{ font: 1rem/1.4 sans-serif; margin: 2rem }}\n"
      "table {{ border-collapse: collapse }}\ntd, th {{ border: 1px solid #888; padding: .3rem .6rem; text-align: "
      "left; "
      "vertical-align: top; overflow-wrap: anywhere }}\n</style>\n</head>\n<body>\n<h1>Archive of {0}</h1>\n"
      "<p>The log had {1} records when this copy was made, on {2}. This page is for reading; what can be proved is in\n"
      "records.ndjson, and isthmus-verify checks it.</p>\n<table>\n"
      "<tr><th>No.</th><th>Time</th><th>Kind</th><th>Author</th><th>Text</th><th>Record</th></tr>\n",
      html_text(info.checkpoint.origin), info.checkpoint.size, to_rfc3339(info.made));
}

std::string html_row(const BagRecord& record, const Header& header) {
  const Summary summary = summary_of(record);
  return fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", record.index,
                     to_rfc3339(header.at), name_of(header.kind), html_text(summary.author), html_text(summary.text),
                     header.id.to_string());
}

std::string html_tail() { return "</table>\n</body>\n</html>\n"; }

}  // namespace isthmus::archive::detail
