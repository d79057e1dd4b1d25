// The three doors of a node: public (webhooks), house (API), admin (control socket), each with its own limits, and the
// objects behind the last two. A socket that systemd holds is taken under its FileDescriptorName.
#include "parts.h"

#include <filesystem>

#include "events/events.h"

namespace isthmus::detail {
namespace {

constexpr std::size_t kWebhookBytesMax = 4U << 20U;
constexpr std::size_t kHouseBytesMax = 16U << 20U;

}  // namespace

void NodeParts::build_api(std::function<Result<std::string>()> reload) {
  exporter = std::make_unique<archive::Exporter>(
      archive::Exporter::Parts{*pool, *recorder, *signer, clock, std::string("isthmusd ") + ISTHMUS_VERSION});
  house = std::make_unique<api::House>(
      api::House::Parts{*pool, *keys, *directory, *publisher, [this](const std::string& path) { return probe(path); }});
  identity::Installed installed;
  installed.adapter = [this](std::string_view name) { return registry->find(name); };
  installed.mapping = [this](const std::string& name) -> std::optional<std::pair<std::string, std::string>> {
    const mapping::Mapping* map = find_mapping(name);
    if (map == nullptr) return std::nullopt;
    return std::pair(std::string(map->from()), std::string(map->to()));
  };
  const auto changed = [this] {
    if (auto done = directory->refresh(); !done)
      events::store_unavailable(*log, {.stage = "directory", .reason = done.error().what});
  };
  control = std::make_unique<api::Control>(api::Control::Parts{
      *pool, *directory, *vault, std::move(installed), *exporter, *parked_desk, signer->verifier_key(),
      std::filesystem::path(settings.state) / "exports", random, *log, [this] { return status(); }, reload, changed});
  house_pool = std::make_unique<http::WorkerPool>(4, 1000);
  admin_pool = std::make_unique<http::WorkerPool>(1, 16);
}

Result<void> NodeParts::open_doors(std::map<std::string, std::vector<int>> inherited) {
  const auto open = [&](const std::string& name, http::ServerOptions server,
                        http::Handler handler) -> Result<std::unique_ptr<http::Server>> {
    if (const auto found = inherited.find(name); found != inherited.end() && !found->second.empty())
      server.address = http::InheritedSocket{found->second.front()};
    return http::Server::open(std::move(server), clock, std::move(handler));
  };
  http::ServerOptions options_public;
  options_public.address =
      http::TcpAddress{settings.public_door.address, static_cast<std::uint16_t>(settings.public_door.port)};
  options_public.body_bytes_max = kWebhookBytesMax;
  auto opened = open("public", options_public, [this](http::Request request, http::Responder respond) {
    door->handle(std::move(request), respond);
  });
  if (!opened) return fail(std::move(opened).error());
  public_server = std::move(*opened);
  http::ServerOptions options_house;
  options_house.address =
      http::TcpAddress{settings.house_door.address, static_cast<std::uint16_t>(settings.house_door.port)};
  options_house.body_bytes_max = kHouseBytesMax;
  opened = open("house", options_house,
                house_pool->blocking([this](const http::Request& request) { return house->handle(request); }));
  if (!opened) return fail(std::move(opened).error());
  house_server = std::move(*opened);
  http::ServerOptions options_admin;
  options_admin.address = http::UnixAddress{settings.admin_socket, 0660};
  options_admin.body_bytes_max = kHouseBytesMax;
  options_admin.answer_deadline = std::chrono::minutes(10);  // an export of a large archive
  opened = open("admin", options_admin,
                admin_pool->blocking([this](const http::Request& request) { return control->handle(request); }));
  if (!opened) return fail(std::move(opened).error());
  admin_server = std::move(*opened);
  health->good("listeners");
  return {};
}

}  // namespace isthmus::detail
