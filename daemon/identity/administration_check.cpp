#include <algorithm>

#include "adapter/hosts.h"
#include "identity/administration.h"

namespace isthmus::identity {
namespace {

using config::ApplyFile;

class Checker {
 public:
  Checker(const ApplyFile& file, const std::string& name, const Installed& installed, Diagnostics& diagnostics)
      : file_(file), name_(name), installed_(installed), diagnostics_(diagnostics) {}

  void connection(const ApplyFile::Connection& c) {
    const adapter::Adapter* adapter = installed_.adapter(c.adapter);
    if (adapter == nullptr)
      return error(c.place, "apply.adapter", "connection " + c.name,
                   "no adapter named \"" + c.adapter + "\" is installed");
    const adapter::Description& description = adapter->describe();
    std::vector<std::string> known;
    for (const adapter::FieldSpec& field : description.fields) {
      if (field.type == "secret") continue;  // sealed by `isthmus connection secret`, never in the file
      known.push_back(field.name);
      if (field.required && field.default_value.empty() && !c.fields.contains(field.name)) {
        error(c.place, "apply.field-missing", "connection " + c.name,
              "fields." + field.name + " is required by the adapter " + c.adapter);
      }
    }
    for (const auto& entry : c.fields) {
      if (std::find(known.begin(), known.end(), entry.first) != known.end()) continue;
      const std::string near = nearest_name(entry.first, known);
      error(c.place, "apply.field-unknown", "connection " + c.name,
            "fields." + entry.first + " is not known to the adapter " + c.adapter +
                (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
    }
    for (const auto& entry : c.collect) {
      const bool exists = std::any_of(description.streams.begin(), description.streams.end(),
                                      [&](const auto& s) { return s.name == entry.first; });
      if (!exists)
        error(c.place, "apply.stream", "connection " + c.name,
              "the adapter " + c.adapter + " has no stream \"" + entry.first + "\"");
    }
    adapter::Context context;
    context.connection = c.fields;
    for (const std::string& host : adapter->hosts(context)) {
      if (adapter::host_allowed(host, c.hosts)) continue;
      error(c.place, "apply.host", "connection " + c.name,
            "the adapter needs " + host + ", which hosts does not name: add it if the connection may reach it");
    }
  }

  void route(const ApplyFile::Route& r) {
    const auto mapping = installed_.mapping(r.mapping);
    if (!mapping)
      error(r.place, "apply.mapping", "route " + r.name, "no mapping named \"" + r.mapping + "\" is installed");
    const auto target =
        std::find_if(file_.connections.begin(), file_.connections.end(), [&](const auto& c) { return c.name == r.to; });
    const adapter::Adapter* adapter = target == file_.connections.end() ? nullptr : installed_.adapter(target->adapter);
    if (adapter == nullptr) return;
    const auto& operations = adapter->describe().operations;
    const auto operation =
        std::find_if(operations.begin(), operations.end(), [&](const auto& o) { return o.name == r.operation; });
    if (operation == operations.end())
      return error(r.place, "apply.operation", "route " + r.name,
                   r.to + " (" + target->adapter + ") has no operation \"" + r.operation + "\"");
    if (mapping && mapping->second != operation->format) {
      error(r.place, "apply.format", "route " + r.name,
            "the mapping makes " + mapping->second + ", the operation takes " + operation->format);
    }
  }

 private:
  void error(const ApplyFile::Place& place, const char* code, std::string path, std::string message) {
    diagnostics_.add(
        {name_, place.line, place.column, Diagnostic::Severity::error, code, std::move(path), std::move(message)});
  }

  const ApplyFile& file_;
  const std::string& name_;
  const Installed& installed_;
  Diagnostics& diagnostics_;
};

}  // namespace

void check_against_installed(const ApplyFile& file, const std::string& name, const Installed& installed,
                             Diagnostics& diagnostics) {
  Checker checker(file, name, installed, diagnostics);
  for (const auto& connection : file.connections) checker.connection(connection);
  for (const auto& route : file.routes) checker.route(route);
}

}  // namespace isthmus::identity
