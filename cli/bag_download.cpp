#include "cli/bag_download.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "base/bytes.h"
#include "base/sha256.h"

namespace isthmus::cli {
namespace {

namespace fs = std::filesystem;

struct Announced {
  std::string path;
  std::uint64_t bytes = 0;
  std::string sha256;
};

struct Export {
  std::string id;
  std::vector<Announced> files;
};

tl::unexpected<Error> write_failed(const fs::path& path, const std::string& why) {
  return fail("bag.write", fmt::format("writing {}: {}", path.string(), why));
}

// The daemon is trusted with the archive, not with the administrator's other files.
bool stays_inside(const std::string& path) {
  if (path.empty() || path.front() == '/' || path.find('\0') != std::string::npos) return false;
  for (const fs::path& part : fs::path(path)) {
    if (part == "." || part == ".." || part.empty()) return false;
  }
  return true;
}

Result<Export> read_export(const std::string& json) {
  simdjson::dom::parser parser;
  simdjson::dom::object root;
  simdjson::dom::array files;
  std::string_view id;
  if (parser.parse(json).get(root) != simdjson::SUCCESS || root["id"].get(id) != simdjson::SUCCESS ||
      root["files"].get(files) != simdjson::SUCCESS) {
    return fail("control.lost", "the daemon's answer to the export is not understood");
  }
  Export announced{std::string(id), {}};
  std::set<std::string> paths;
  for (const simdjson::dom::element one : files) {
    std::string_view path;
    std::string_view hash;
    std::uint64_t bytes = 0;
    if (one["path"].get(path) != simdjson::SUCCESS || one["bytes"].get(bytes) != simdjson::SUCCESS ||
        one["sha256"].get(hash) != simdjson::SUCCESS) {
      return fail("control.lost", "the daemon's list of files is not understood");
    }
    if (!stays_inside(std::string(path)) || !paths.emplace(path).second) {
      return fail("bag.path", fmt::format("the daemon announced the path \"{}\", which a bag cannot have", path));
    }
    announced.files.push_back({std::string(path), bytes, std::string(hash)});
  }
  return announced;
}

// One file being written; closed in any case.
class OutFile {
 public:
  explicit OutFile(const fs::path& path)
      : descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {}
  ~OutFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OutFile(const OutFile&) = delete;
  OutFile& operator=(const OutFile&) = delete;

  [[nodiscard]] bool open() const { return descriptor_ >= 0; }
  [[nodiscard]] bool write(std::string_view piece) const {
    while (!piece.empty()) {
      const ssize_t written = ::write(descriptor_, piece.data(), piece.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      piece.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }
  [[nodiscard]] bool sync() const { return ::fsync(descriptor_) == 0; }

 private:
  const int descriptor_;
};

// Fetches the files of one export into a folder that is there.
class Fetch {
 public:
  Fetch(Control& control, const Export& announced, fs::path folder,
        const std::function<void(const BagProgress&)>& progress)
      : control_(control), announced_(announced), folder_(std::move(folder)), progress_(progress) {
    done_.files = announced.files.size();
    for (const Announced& file : announced.files) done_.bytes += file.bytes;
  }

  Result<BagProgress> run() {
    for (const Announced& file : announced_.files) {
      if (auto fetched = fetch(file); !fetched) return fail(std::move(fetched).error());
      ++done_.files_done;
      progress_(done_);
    }
    return done_;
  }

 private:
  Result<void> fetch(const Announced& file) {
    const fs::path path = folder_ / file.path;
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    const OutFile out(path);
    if (!out.open()) return write_failed(path, std::strerror(errno));
    crypto::Sha256 hash;
    std::uint64_t bytes = 0;
    int write_error = 0;
    auto reply =
        control_.download("/control/v1/archive/export/" + encode(announced_.id) + "/file?path=" + encode(file.path),
                          [&](std::string_view piece) {
                            bytes += piece.size();
                            if (bytes > file.bytes) return false;
                            if (!out.write(piece)) write_error = errno;
                            hash.update(piece);
                            done_.bytes_done += piece.size();
                            progress_(done_);
                            return write_error == 0;
                          });
    if (write_error != 0) return write_failed(path, std::strerror(write_error));
    if (!reply && bytes <= file.bytes) return fail(std::move(reply).error());
    if (reply && !reply->good())
      return fail("bag.file", fmt::format("{}: the daemon answered {}", file.path, reply->status));
    if (bytes != file.bytes || to_hex(hash.finish()) != file.sha256) {
      return fail("bag.file", fmt::format("{}: what came is not what the daemon announced", file.path),
                  "run the export again");
    }
    if (!out.sync()) return write_failed(path, std::strerror(errno));
    return {};
  }

  Control& control_;
  const Export& announced_;
  const fs::path folder_;
  const std::function<void(const BagProgress&)>& progress_;
  BagProgress done_;
};

}  // namespace

Result<BagResult> download_bag(Control& control, const fs::path& folder,
                               const std::function<void(const BagProgress&)>& progress) {
  std::error_code error;
  const fs::path place = fs::absolute(folder, error).lexically_normal();
  if (fs::exists(fs::symlink_status(place, error))) {
    return fail("bag.exists", fmt::format("{} is there already", folder.string()),
                "name a folder that does not exist: a bag is never mixed with other files");
  }
  auto reply = control.post("/control/v1/archive/export", {"", "application/json"});
  if (!reply) return fail(std::move(reply).error());
  if (!reply->good()) return BagResult{{}, std::move(*reply)};
  auto announced = read_export(reply->body);
  if (!announced) return fail(std::move(announced).error());

  const fs::path stem = place.has_filename() ? place : place.parent_path();  // "--out bag/" names bag
  const fs::path incomplete = stem.string() + ".incomplete-" + encode(announced->id);
  fs::create_directories(incomplete, error);
  Result<BagProgress> fetched = error ? Result<BagProgress>(write_failed(incomplete, error.message()))
                                      : Fetch(control, *announced, incomplete, progress).run();
  if (fetched) fs::rename(incomplete, stem, error);
  if (fetched && error) fetched = write_failed(stem, error.message());
  if (!fetched) fs::remove_all(incomplete, error);
  // The daemon drops exports by age too: what it says here changes nothing for the bag.
  static_cast<void>(control.remove("/control/v1/archive/export/" + encode(announced->id)));
  if (!fetched) return fail(std::move(fetched).error());
  return BagResult{*fetched, std::nullopt};
}

}  // namespace isthmus::cli
