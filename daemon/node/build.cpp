// Node::build: everything of a node that can be judged before a database or a socket is opened.
#include <unistd.h>

#include "config/credentials.h"
#include "node.h"
#include "parts.h"

namespace isthmus {
namespace {

/// Credentials are judged all at once: each mistake is noted, and what could be read is kept.
class SecretReader {
 public:
  SecretReader(const Node::Options& options, const config::Settings& settings, Diagnostics& diagnostics)
      : file_(options.config_file), credentials_(settings.credentials), diagnostics_(diagnostics) {}

  void wrong(const Error& error) {
    diagnostics_.add({file_, 0, 0, Diagnostic::Severity::error, error.code, "credentials",
                      error.what + (error.hint.empty() ? "" : " (" + error.hint + ")")});
  }
  template <class T>
  std::optional<T> keep(Result<T> read) {
    if (read) return std::move(*read);
    wrong(read.error());
    return std::nullopt;
  }
  const config::Credentials& credentials() const { return credentials_; }

 private:
  const std::string& file_;
  config::Credentials credentials_;
  Diagnostics& diagnostics_;
};

std::optional<store::Options> database_of(const config::Settings& settings, SecretReader& secrets) {
  store::Options database;
  database.host = settings.database.host;
  database.port = std::to_string(settings.database.port);
  database.database = settings.database.name;
  database.user = settings.database.user;
  if (settings.database.password_credential.empty()) return database;
  auto password = secrets.keep(secrets.credentials().text(settings.database.password_credential));
  if (!password) return std::nullopt;
  database.password = std::move(*password);
  return database;
}

/// The first folder of the settings counts, the last one of the registry.
std::unique_ptr<adapter::Registry> registry_of(const config::Settings& settings, const Clock& clock,
                                               Diagnostics& diagnostics) {
  const std::vector<std::filesystem::path> folders(settings.adapters.rbegin(), settings.adapters.rend());
  return std::make_unique<adapter::Registry>(
      adapter::Registry::load(folders, {settings.adapter_sockets, clock}, {}, diagnostics));
}

}  // namespace

std::unique_ptr<Node> Node::build(const Options& options, Diagnostics& diagnostics) {
  const auto settings = config::Settings::load(options.config_file, config::credentials_of_environment(), diagnostics);
  if (!settings) return nullptr;
  auto parts = std::make_unique<detail::NodeParts>();
  parts->options = options;
  parts->settings = *settings;
  parts->log = std::make_unique<ops::JsonLog>(STDERR_FILENO, ops::level_from(settings->log_level), parts->clock);
  parts->health = std::make_unique<ops::Health>(parts->clock, std::vector<std::string>{"store", "listeners"});
  SecretReader secrets(options, *settings, diagnostics);
  const auto master = secrets.keep(secrets.credentials().key32("vault-key"));
  const auto log_seed = secrets.keep(secrets.credentials().key32("log-key"));
  auto database = database_of(*settings, secrets);
  parts->registry = registry_of(*settings, parts->clock, diagnostics);
  auto rules = Rules::load(*settings, diagnostics);
  if (diagnostics.has_errors()) return nullptr;
  parts->rules.with([&](auto& current) { current = rules; });
  parts->old_rules.push_back(std::move(rules));
  auto signing = secrets.keep(crypto::SigningKey::from_seed(*log_seed));
  auto key = secrets.keep(archive::MasterKey::from_secret(*master));
  if (diagnostics.has_errors()) return nullptr;
  auto signer = secrets.keep(archive::NoteSigner::create(settings->archive_origin, std::move(*signing)));
  if (!signer) return nullptr;
  parts->signer = std::make_unique<archive::NoteSigner>(std::move(*signer));
  parts->vault = std::make_unique<identity::Vault>(*master);
  parts->master = std::make_unique<archive::MasterKey>(std::move(*key));
  parts->database = *database;
  parts->pool =
      std::make_unique<store::Pool>(std::move(*database), static_cast<std::size_t>(settings->database.pool_size));
  return std::unique_ptr<Node>(new Node(std::move(parts)));
}

}  // namespace isthmus
