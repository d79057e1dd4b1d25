#include "config/detail/settings_fields.h"

#include <array>

namespace isthmus::config::detail {

namespace {

#define MEMBER(type, expression) +[](Settings& s) -> type& { return s.expression; }

constexpr std::string_view kAdapters = "/usr/share/isthmus/adapters";
constexpr std::string_view kMappings = "/usr/share/isthmus/mappings";
constexpr std::string_view kPolicies = "/usr/share/isthmus/policies";
using List = std::vector<std::string>;

// path, member, form, required, default, min, max, live, English, French
constexpr std::array kFields = {
    Field{"node", MEMBER(std::string, node), Form::node_name, true, "", 0, 0, false,
          "Name of this machine among the nodes of the installation.",
          "Nom de cette machine parmi les nœuds de l'installation."},
    Field{"database.host", MEMBER(std::string, database.host), Form::host, false, "/run/postgresql", 0, 0, false,
          "PostgreSQL: a host name, an address, or the folder of its Unix socket.",
          "PostgreSQL : un nom d'hôte, une adresse, ou le dossier de sa socket Unix."},
    Field{"database.port", MEMBER(std::int64_t, database.port), Form::any, false, "5432", 1, 65535, false,
          "Port of PostgreSQL.", "Port de PostgreSQL."},
    Field{"database.name", MEMBER(std::string, database.name), Form::any, false, "isthmus", 0, 0, false,
          "Name of the database.", "Nom de la base de données."},
    Field{"database.user", MEMBER(std::string, database.user), Form::any, false, "isthmus_run", 0, 0, false,
          "PostgreSQL role that the daemon connects as.", "Rôle PostgreSQL sous lequel le démon se connecte."},
    Field{
        "database.password_credential", MEMBER(std::string, database.password_credential), Form::credential, false, "",
        0, 0, false, "File in the credentials folder that holds the role's password. Empty: no password is sent.",
        "Fichier du dossier des secrets qui contient le mot de passe du rôle. Vide : aucun mot de passe n'est envoyé."},
    Field{"database.pool_size", MEMBER(std::int64_t, database.pool_size), Form::any, false, "8", 2, 128, false,
          "Connections to PostgreSQL kept open.", "Connexions à PostgreSQL gardées ouvertes."},
    Field{"listeners.public.address", MEMBER(std::string, public_door.address), Form::address, false, "127.0.0.1", 0, 0,
          false, "Address of the door for networks: webhooks and short links.",
          "Adresse de la porte des réseaux : webhooks et liens courts."},
    Field{"listeners.public.port", MEMBER(std::int64_t, public_door.port), Form::any, false, "8081", 0, 65535, false,
          "Its port; 0 takes any free one and logs it.", "Son port ; 0 prend un port libre et le journalise."},
    Field{"listeners.house.address", MEMBER(std::string, house_door.address), Form::address, false, "127.0.0.1", 0, 0,
          false, "Address of the door for the company's people: API and console.",
          "Adresse de la porte des personnes de l'entreprise : API et console."},
    Field{"listeners.house.port", MEMBER(std::int64_t, house_door.port), Form::any, false, "8080", 0, 65535, false,
          "Its port; 0 takes any free one and logs it.", "Son port ; 0 prend un port libre et le journalise."},
    Field{"listeners.admin.socket", MEMBER(std::string, admin_socket), Form::socket_path, false,
          "/run/isthmus/control.sock", 0, 0, false, "Unix socket of the administrator's command.",
          "Socket Unix de la commande de l'administrateur."},
    Field{"adapters", MEMBER(List, adapters), Form::existing_paths, false, kAdapters, 0, 0, false,
          "Folders with one folder a system, each with its descriptor.yaml; of one system in two folders the first "
          "counts.",
          "Dossiers contenant un dossier par système, avec son descriptor.yaml ; d'un système présent deux fois, le "
          "premier compte."},
    Field{"adapter_sockets", MEMBER(std::string, adapter_sockets), Form::folder, false, "/run/isthmus-adapters", 0, 0,
          false,
          "Folder with the sockets of adapters that are programs, NAME.sock each; systemd makes them "
          "(isthmus-adapter@NAME.socket).",
          "Dossier des sockets des adaptateurs qui sont des programmes, NOM.sock chacun ; systemd les crée "
          "(isthmus-adapter@NOM.socket)."},
    Field{"mappings", MEMBER(List, mappings), Form::existing_paths, false, kMappings, 0, 0, true,
          "Folders with mappings.", "Dossiers des correspondances de champs."},
    Field{"policies", MEMBER(List, policies), Form::existing_paths, false, kPolicies, 0, 0, true,
          "Rule packs: folders or single files.", "Jeux de règles : dossiers ou fichiers."},
    Field{"state", MEMBER(std::string, state), Form::folder, false, "/var/lib/isthmus", 0, 0, false,
          "Folder for what this node keeps outside the database: blobs and exports.",
          "Dossier de ce que ce nœud garde hors de la base : médias et exports."},
    Field{"credentials", MEMBER(std::string, credentials), Form::folder, false, "", 0, 0, false,
          "Folder with vault-key, log-key and the database's password, readable by the daemon's user only. Empty: "
          "CREDENTIALS_DIRECTORY, as systemd sets it.",
          "Dossier de vault-key, log-key et du mot de passe de la base, lisible du seul utilisateur du démon. Vide : "
          "CREDENTIALS_DIRECTORY, tel que systemd le définit."},
    Field{"archive.origin", MEMBER(std::string, archive_origin), Form::origin, true, "", 0, 0, false,
          "Name of this installation's log in its checkpoints, for ever: a host name and a path, without scheme.",
          "Nom du journal de cette installation dans ses points de contrôle, pour toujours : un nom d'hôte et un "
          "chemin, sans schéma."},
    Field{
        "journal.days", MEMBER(std::int64_t, journal_days), Form::any, false, "14", 2, 400, false,
        "Days that what was received and what is to be sent stay in the journal, with their content. A day that holds "
        "something unfinished stays until it is done. The archive is not concerned.",
        "Jours pendant lesquels ce qui est reçu et ce qui est à envoyer reste dans le journal, avec son contenu. Un "
        "jour qui contient quelque chose d'inachevé reste jusqu'à son terme. L'archive n'est pas concernée."},
    Field{"log.level", MEMBER(std::string, log_level), Form::log_level, false, "info", 0, 0, true,
          "The least severe event that is logged.", "L'événement le moins grave qui est journalisé."},
};

#undef MEMBER

}  // namespace

std::span<const Field> settings_fields() { return kFields; }

const std::vector<std::string>& log_levels() {
  static const std::vector<std::string> levels = {"debug", "info", "warning", "error"};
  return levels;
}

}  // namespace isthmus::config::detail
