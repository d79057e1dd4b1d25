#include <vector>

#include "cli/command.h"
#include "cli/daemon_commands.h"
#include "cli/offline_commands.h"

namespace isthmus::cli {
namespace {

using Needs = Command::Needs;
using Count = Positional::Count;
using Presence = Option::Presence;

const Positional kCommandId{"COMMAND",
                            Count::one,
                            {"id of a command, as \"isthmus parked list\" shows it",
                             "identifiant d'une commande, comme l'affiche « isthmus parked list »"}};

const Positional kCallId{"CALL",
                         Count::one,
                         {"id of a call, as \"isthmus quarantine list\" shows it",
                          "identifiant d'un appel, comme l'affiche « isthmus quarantine list »"}};

std::vector<Command> daemon_commands() {
  return {
      {"status",
       Needs::daemon,
       {},
       {},
       {"tell how the daemon is doing", "dire comment va le démon"},
       {"Version, node, addresses, conditions of readiness and the age of the oldest undelivered item.",
        "Version, nœud, adresses, conditions de service et âge du plus ancien élément non livré."},
       &run_status},
      {"books",
       Needs::daemon,
       {},
       {},
       {"show the two books: calls and commands", "montrer les deux livres : appels et commandes"},
       {"Every number is counted from its own table, none by subtraction; a loss shows as an imbalance.",
        "Chaque nombre est compté dans sa propre table, aucun par soustraction ; une perte se voit comme un "
        "déséquilibre."},
       &run_books},
      {"reload",
       Needs::daemon,
       {},
       {{"--wait",
         "",
         Presence::optional,
         {"return only when it is done, as always; for readers of unit files",
          "ne revenir qu'une fois fait, comme toujours ; pour qui lit les fichiers d'unité"}}},
       {"read the configuration again, all or nothing", "relire la configuration, tout ou rien"},
       {"With mistakes, all of them are shown and the configuration before stays in force.",
        "S'il y a des erreurs, toutes sont montrées et la configuration précédente reste en vigueur."},
       &run_reload},
      {"apply",
       Needs::daemon,
       {{"FILE",
         Count::one,
         {"YAML file of units, principals, connections and routes; - for standard input",
          "fichier YAML d'unités, de comptes, de connexions et de routes ; - pour l'entrée standard"}}},
       {{"--dry-run",
         "",
         Presence::optional,
         {"show the difference and change nothing", "montrer la différence sans rien changer"}}},
       {"make the administration equal to a file", "rendre l'administration égale à un fichier"},
       {"The file is the whole: what it does not name is removed. Secrets are not in it.",
        "Le fichier est le tout : ce qu'il ne nomme pas est retiré. Les secrets n'y sont pas."},
       &run_apply},
      {"export",
       Needs::daemon,
       {},
       {},
       {"write the administration as a file for apply", "écrire l'administration en un fichier pour apply"},
       {"", ""},
       &run_export},
      {"connection secret",
       Needs::daemon,
       {{"NAME", Count::one, {"name of the connection", "nom de la connexion"}},
        {"FIELD",
         Count::one,
         {"secret field: token, password, webhook secret", "champ secret : jeton, mot de passe, secret de webhook"}}},
       {{"--file",
         "FILE",
         Presence::required,
         {"file that holds the secret; - for standard input",
          "fichier qui contient le secret ; - pour l'entrée standard"}}},
       {"seal one secret of a connection", "sceller un secret d'une connexion"},
       {"The secret is never on the command line. One line feed at its end is left out.",
        "Le secret n'est jamais sur la ligne de commande. Un saut de ligne à la fin est ignoré."},
       &run_connection_secret},
      {"parked list",
       Needs::daemon,
       {},
       {},
       {"list commands that wait, are held or are dead", "lister les commandes en attente, retenues ou mortes"},
       {"", ""},
       &run_parked_list},
      {"parked retry",
       Needs::daemon,
       {kCommandId},
       {},
       {"send a parked command again", "renvoyer une commande mise de côté"},
       {"What waits for another try is due now. What is held or dead is mapped, where it never was, and decided again "
        "under today's versions; then it goes to the end of the queue under its own id. A denial keeps it parked and "
        "names "
        "the rule. A post that a rule holds is released by another subject through the API, not here.",
        "Ce qui attend un nouvel essai est dû maintenant. Ce qui est retenu ou mort est mis en correspondance, s'il ne "
        "l'a jamais été, et redécidé selon les versions du jour ; puis il va en fin de file sous son identifiant. Un "
        "refus "
        "le laisse de côté et nomme la règle. Un message qu'une règle retient est libéré par une autre personne par "
        "l'API, "
        "pas ici."},
       &run_parked_retry},
      {"parked hold",
       Needs::daemon,
       {kCommandId},
       {},
       {"hold a command that waits until it is retried", "retenir une commande en attente jusqu'à son renvoi"},
       {"Later commands of the same object go on without it.",
        "Les commandes suivantes du même objet passent sans elle."},
       &run_parked_hold},
      {"parked drop",
       Needs::daemon,
       {kCommandId},
       {},
       {"give a parked command up for good", "abandonner définitivement une commande mise de côté"},
       {"It counts as dead in the books, and can still be retried; its records stay in the archive.",
        "Elle compte comme morte dans les livres et peut encore être renvoyée ; ses enregistrements restent dans "
        "l'archive."},
       &run_parked_drop},
      {"quarantine list",
       Needs::daemon,
       {},
       {},
       {"list calls that stand aside: unreadable, or of a suspended connection",
        "lister les appels mis de côté : illisibles, ou d'une connexion suspendue"},
       {"What waits for its connection is read by itself when the connection may act again.",
        "Ce qui attend sa connexion est lu de lui-même quand elle peut agir de nouveau."},
       &run_quarantine_list},
      {"quarantine retry",
       Needs::daemon,
       {kCallId},
       {},
       {"read a call that stands aside again", "relire un appel mis de côté"},
       {"For when the adapter or what the reason names was mended. The bytes are those that came in.",
        "Pour quand l'adaptateur ou ce que nomme le motif a été corrigé. Les octets sont ceux qui sont entrés."},
       &run_quarantine_retry},
      {"quarantine drop",
       Needs::daemon,
       {kCallId},
       {},
       {"give a call that stands aside up", "abandonner un appel mis de côté"},
       {"It counts as dropped in the books; its bytes stay, and it can still be retried.",
        "Il compte comme abandonné dans les livres ; ses octets restent et il peut encore être relu."},
       &run_quarantine_drop},
      {"archive export",
       Needs::daemon,
       {},
       {{"--out",
         "DIR",
         Presence::required,
         {"folder to make; it must not exist", "dossier à créer ; il ne doit pas exister"}}},
       {"write the archive as a bag that can be verified", "écrire l'archive en un sac vérifiable"},
       {"Each file is held against the size and SHA-256 that the daemon announced; DIR appears only when the bag is "
        "whole.",
        "Chaque fichier est comparé à la taille et au SHA-256 annoncés par le démon ; DIR n'apparaît que si le sac est "
        "entier."},
       &run_archive_export},
      {"archive key",
       Needs::daemon,
       {},
       {},
       {"print the key that verifies the log", "écrire la clé qui vérifie le journal"},
       {"A C2SP signed-note verifier key, for isthmus-verify --key.",
        "Une clé de vérification C2SP signed-note, pour isthmus-verify --key."},
       &run_archive_key},
  };
}

std::vector<Command> offline_commands() {
  const Words paths_text{"files, or folders that hold them", "fichiers, ou dossiers qui en contiennent"};
  const Option sockets{"--sockets",
                       "DIR",
                       Presence::optional,
                       {"folder of the sockets of adapter programs; /run/isthmus-adapters unless given",
                        "dossier des sockets des programmes adaptateurs ; sinon /run/isthmus-adapters"}};
  return {
      {"adapter test",
       Needs::nothing,
       {{"PATH",
         Count::one_or_more,
         {"folder of an adapter, or one that holds such folders",
          "dossier d'un adaptateur, ou dossier qui en contient"}}},
       {sockets},
       {"run the golden examples of adapters, with no network",
        "jouer les exemples de référence d'adaptateurs, sans réseau"},
       {"An adapter that is a program is asked at its socket, NAME.sock in the folder of sockets.",
        "Un adaptateur qui est un programme est interrogé sur sa socket, NOM.sock dans le dossier des sockets."},
       &run_adapter_test},
      {"adapter describe",
       Needs::nothing,
       {{"SOCKET",
         Count::one,
         {"socket where an adapter program listens", "socket où écoute un programme adaptateur"}}},
       {},
       {"print what an adapter program says of itself", "écrire ce qu'un programme adaptateur dit de lui-même"},
       {"This is the program.json of its folder.", "C'est le program.json de son dossier."},
       &run_adapter_describe},
      {"adapter render",
       Needs::nothing,
       {{"PATH",
         Count::one_or_more,
         {"folder of an adapter, or one that holds such folders",
          "dossier d'un adaptateur, ou dossier qui en contient"}}},
       {{"--golden",
         "",
         Presence::optional,
         {"render every request of the golden examples, a JSON line each",
          "rendre chaque requête des exemples de référence, une ligne JSON chacune"}},
        {"--command",
         "FILE",
         Presence::optional,
         {"render the requests of the one command in this file",
          "rendre les requêtes de la seule commande de ce fichier"}},
        sockets},
       {"print the requests that an adapter makes", "écrire les requêtes que fait un adaptateur"},
       {"Nothing is sent.", "Rien n'est envoyé."},
       &run_adapter_render},
      {"mapping check",
       Needs::nothing,
       {{"PATH", Count::one_or_more, paths_text}},
       {},
       {"check mappings and run their examples", "vérifier des correspondances et jouer leurs exemples"},
       {"", ""},
       &run_mapping_check},
      {"mapping run",
       Needs::nothing,
       {{"MAPPING", Count::one, {"file of the mapping", "fichier de la correspondance"}},
        {"EVENT", Count::one, {"file of the event's body, JSON", "fichier du corps de l'événement, JSON"}}},
       {{"--purposes",
         "A,B",
         Presence::optional,
         {"what the event may be used for (all)", "à quoi l'événement peut servir (tout)"}}},
       {"map one event", "appliquer une correspondance à un événement"},
       {"", ""},
       &run_mapping_run},
      {"policy test",
       Needs::nothing,
       {{"PATH", Count::one_or_more, paths_text}},
       {},
       {"check rule packs and run their tests", "vérifier des paquets de règles et jouer leurs tests"},
       {"", ""},
       &run_policy_test},
      {"policy decide",
       Needs::nothing,
       {{"REQUEST", Count::one, {"file of the request, YAML or JSON", "fichier de la demande, YAML ou JSON"}}},
       {{"--packs",
         "PATH",
         Presence::required,
         {"rule packs; may be given more than once", "paquets de règles ; peut être donné plusieurs fois"}}},
       {"decide one request and name the rule", "décider d'une demande et nommer la règle"},
       {"Exit code 0 for permit and warn, 1 for hold and forbid.",
        "Code de retour 0 pour permettre et avertir, 1 pour retenir et interdire."},
       &run_policy_decide},
  };
}

}  // namespace

std::span<const Command> all_commands() {
  static const std::vector<Command> commands = [] {
    std::vector<Command> all = daemon_commands();
    for (Command& one : offline_commands()) all.push_back(std::move(one));
    return all;
  }();
  return commands;
}

int run(std::span<const std::string> arguments, Terminal& terminal) {
  const auto invocation = parse_arguments(arguments, terminal.language);
  if (!invocation) {
    terminal.err << say(terminal.language,
                        {"isthmus: {}\n\"isthmus --help\" lists the commands.\n",
                         "isthmus : {}\n« isthmus --help » liste les commandes.\n"},
                        invocation.error().what);
    return exit_usage;
  }
  switch (invocation->wish) {
    case Invocation::Wish::version:
      terminal.out << "isthmus " ISTHMUS_VERSION "\n";
      return exit_good;
    case Invocation::Wish::help:
      terminal.out << (invocation->command == nullptr ? general_help(terminal.language)
                                                      : command_help(*invocation->command, terminal.language));
      return exit_good;
    case Invocation::Wish::run:
      break;
  }
  return invocation->command->run(terminal, *invocation);
}

}  // namespace isthmus::cli
