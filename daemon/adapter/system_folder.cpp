#include "adapter/system_folder.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "adapter/descriptor_adapter.h"
#include "adapter/thrift_adapter.h"

namespace isthmus::adapter {
namespace {

constexpr const char* kDescriptor = "descriptor.yaml";
constexpr const char* kProgram = "program.json";
constexpr std::size_t kSocketPathBytesMax = 107;  // sun_path of unix(7), with its end

bool has(const std::filesystem::path& folder, const char* file) {
  std::error_code ignored;
  return std::filesystem::exists(folder / file, ignored);
}

void complain(const std::filesystem::path& where, std::string code, std::string message, Diagnostics& diagnostics) {
  diagnostics.add({where.string(), 0, 0, Diagnostic::Severity::error, std::move(code), "", std::move(message)});
}

std::unique_ptr<Adapter> load_program_folder(const std::filesystem::path& folder, const ProgramSockets& sockets,
                                             Diagnostics& diagnostics) {
  const std::filesystem::path file = folder / kProgram;
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) {
    complain(file, "adapter.folder", "the file cannot be read", diagnostics);
    return nullptr;
  }
  const std::filesystem::path socket = sockets.folder / (folder.filename().string() + ".sock");
  if (socket.string().size() > kSocketPathBytesMax) {
    complain(file, "adapter.socket", "the socket's path is over 107 bytes: " + socket.string(), diagnostics);
    return nullptr;
  }
  return ThriftAdapter::described(text.str(), file, socket, sockets.clock, ThriftAdapter::Limits(), diagnostics);
}

}  // namespace

std::vector<std::filesystem::path> system_folders(std::span<const std::filesystem::path> paths) {
  const auto is_system = [](const std::filesystem::path& path) {
    return has(path, kDescriptor) || has(path, kProgram);
  };
  std::vector<std::filesystem::path> out;
  for (const std::filesystem::path& path : paths) {
    if (is_system(path)) {
      out.push_back(path);
      continue;
    }
    std::error_code error;
    std::vector<std::filesystem::path> inside;
    for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
      if (is_system(entry.path())) inside.push_back(entry.path());
    }
    std::sort(inside.begin(), inside.end());
    out.insert(out.end(), inside.begin(), inside.end());
  }
  return out;
}

std::unique_ptr<Adapter> load_system(const std::filesystem::path& given, const ProgramSockets& sockets,
                                     Diagnostics& diagnostics) {
  // "adapters/x/" and "adapters/x" name the same folder; only the second has a file name.
  const std::filesystem::path folder = given.has_filename() ? given : given.parent_path();
  if (has(folder, kDescriptor) && has(folder, kProgram)) {
    complain(folder, "adapter.form", "an adapter is a descriptor.yaml or a program.json, not both", diagnostics);
    return nullptr;
  }
  Diagnostics own;  // the mistakes of another folder are no reason to refuse this one
  std::unique_ptr<Adapter> adapter;
  if (has(folder, kProgram)) {
    adapter = load_program_folder(folder, sockets, own);
  } else {
    adapter = load_descriptor(folder / kDescriptor, own);
  }
  for (const Diagnostic& diagnostic : own.list()) diagnostics.add(diagnostic);
  if (!adapter || adapter->describe().name == folder.filename().string()) return adapter;
  complain(folder, "adapter.folder", "the folder of adapter " + adapter->describe().name + " must bear its name",
           diagnostics);
  return nullptr;
}

}  // namespace isthmus::adapter
