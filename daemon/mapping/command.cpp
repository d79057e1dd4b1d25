#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "expression/value.h"
#include "mapping/mapping.h"

namespace isthmus::mapping {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_of(const std::vector<fs::path>& paths) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    std::error_code ignored;  // what is no folder is loaded as a file, and reported there
    if (!fs::is_directory(path, ignored)) {
      files.push_back(path);
      continue;
    }
    std::vector<fs::path> found;
    for (fs::directory_iterator entry(path, ignored), end; entry != end; entry.increment(ignored)) {
      if (entry->path().extension() == ".yaml") found.push_back(entry->path());
    }
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

bool check_one(const fs::path& file, std::string& out) {
  Diagnostics diagnostics;
  const auto mapping = Mapping::load(file, diagnostics);
  out += diagnostics.to_string();
  if (!mapping) return false;
  const Mapping::Report report = mapping->run_examples();
  for (const auto& failure : report.failures) {
    out += fmt::format("{}:{}: example \"{}\" differs\n", file.string(), failure.line, failure.example);
    std::istringstream lines(failure.difference);
    for (std::string line; std::getline(lines, line);) out += "    " + line + "\n";
  }
  out +=
      fmt::format("{}: {} version {}, {} to {}: {} of {} examples hold\n", file.string(), mapping->name(),
                  mapping->version(), mapping->from(), mapping->to(), report.run - report.failures.size(), report.run);
  return report.failures.empty();
}

void write_names(JsonWriter& writer, std::string_view key, const std::vector<std::string>& names) {
  writer.key(key).begin_array();
  for (const std::string& name : names) writer.value(name);
  writer.end_array();
}

int write_stop(std::string_view end, std::string_view field, std::string_view reason, std::string& out) {
  JsonWriter writer;
  writer.begin_object().member("end", end).member("field", field).member("reason", reason).end_object();
  out += std::move(writer).text() + "\n";
  return 2;
}

int write_result(const MappingResult& result, std::string& out) {
  if (const auto* held = std::get_if<Held>(&result)) return write_stop("held", held->field, held->reason, out);
  if (const auto* rejected = std::get_if<Rejected>(&result))
    return write_stop("rejected", rejected->field, rejected->reason, out);
  if (const auto* denied = std::get_if<Denied>(&result))
    return write_stop("denied", denied->field, denied->reason, out);
  const Mapped& mapped = std::get<Mapped>(result);
  JsonWriter writer;
  writer.begin_object().member("end", "mapped");
  write_names(writer, "purposes", mapped.purposes.names());
  writer.key("dropped").begin_array();
  for (const auto& dropped : mapped.dropped) {
    writer.begin_object().member("field", dropped.field).member("reason", dropped.reason).end_object();
  }
  writer.end_array().key("body").raw(mapped.body).end_object();
  out += std::move(writer).text() + "\n";
  return 0;
}

}  // namespace

int mapping_check(const std::vector<fs::path>& paths, std::string& out) {
  const std::vector<fs::path> files = files_of(paths);
  if (files.empty()) {
    out += "no mapping was found\n";
    return 1;
  }
  bool good = true;
  for (const fs::path& file : files) good = check_one(file, out) && good;
  return good ? 0 : 1;
}

int mapping_run(const fs::path& mapping_file, const fs::path& event_file, const std::vector<std::string>& purposes,
                std::string& out) {
  Diagnostics diagnostics;
  const auto mapping = Mapping::load(mapping_file, diagnostics);
  out += diagnostics.to_string();
  const auto allowed = Purposes::from(purposes);
  if (!allowed) out += to_string(allowed.error()) + "\n";
  std::ifstream in(event_file, std::ios::binary);
  std::ostringstream event;
  event << in.rdbuf();
  if (!in) out += fmt::format("{}: the event cannot be read\n", event_file.string());
  if (!mapping || !allowed || !in) return 1;
  Workspace workspace;
  const expression::MapScope more;
  return write_result(mapping->apply(workspace, std::move(event).str(), Terms{*allowed, {}}, more), out);
}

}  // namespace isthmus::mapping
