#include "cli/daemon_commands.h"

#include <fstream>
#include <iostream>
#include <iterator>

#include "base/json.h"
#include "base/secret.h"
#include "cli/bag_download.h"
#include "cli/control.h"
#include "cli/report.h"

namespace isthmus::cli {
namespace {

As as_of(const Invocation& invocation) { return invocation.output == Invocation::Output::json ? As::json : As::text; }

Error file_error(const std::string& path) { return {"file.unreadable", "reading " + path + " failed", {}, {}}; }

/// A file, or standard input for "-".
Result<std::string> read_all(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(file_error(path));
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return fail(file_error(path));
  return text;
}

/// Shows an answer: the daemon's JSON for machines, else what `show` makes of it.
int answer(Terminal& terminal, const Invocation& invocation, const Result<Reply>& reply,
           std::string (*show)(std::string_view, Language)) {
  if (!reply) return show_error(terminal, as_of(invocation), reply.error());
  if (!reply->good()) return show_problem(terminal, as_of(invocation), *reply);
  if (as_of(invocation) == As::json) {
    terminal.out << (reply->body.empty() ? "{}" : reply->body) << '\n';
  } else {
    terminal.out << show(reply->body, terminal.language);
  }
  return exit_good;
}

std::string show_done(std::string_view, Language language) {
  return std::string(Words{"done\n", "fait\n"}.in(language));
}

std::string show_reloaded(std::string_view json, Language language) {
  return std::string(
             Words{"the new configuration is in force\n", "la nouvelle configuration est en vigueur\n"}.in(language)) +
         (json.empty() || json == "{}" ? std::string() : render(json, language));
}

/// What an act on something that waits came to.
std::string show_outcome(std::string_view json, Language language) {
  static const std::map<std::string_view, Words> kOutcomes = {
      {"due", {"it is due now, in its place", "elle est due maintenant, à sa place"}},
      {"released", {"released: it stands at the end of its queue", "libérée : elle est en fin de file"}},
      {"held", {"held: it waits for a retry", "retenue : elle attend un renvoi"}},
      {"dropped", {"dropped", "abandonné"}},
      {"routed", {"read and routed", "lu et routé"}},
      {"waits",
       {"it waits to be read: its connection is suspended, or its lane is busy",
        "il attend d'être lu : sa connexion est suspendue, ou sa voie est occupée"}},
  };
  for (const auto& [name, words] : kOutcomes) {
    if (json.find("\"outcome\":\"" + std::string(name) + "\"") != std::string_view::npos)
      return std::string(words.in(language)) + "\n";
  }
  return show_done(json, language);
}

int act_on(std::string_view what, Terminal& terminal, const Invocation& invocation, std::string_view act) {
  Control control(invocation.socket);
  const std::string target =
      "/control/v1/" + std::string(what) + "/" + encode(invocation.positionals[0]) + "/" + std::string(act);
  return answer(terminal, invocation, control.post(target, {"", "application/json"}), &show_outcome);
}

void show_progress(Terminal& terminal, const BagProgress& progress) {
  terminal.err << say(terminal.language,
                      {"\rfiles {} of {}, bytes {} of {}\x1b[K", "\rfichiers {} sur {}, octets {} sur {}\x1b[K"},
                      progress.files_done, progress.files, progress.bytes_done, progress.bytes)
               << std::flush;
}

}  // namespace

int run_status(Terminal& terminal, const Invocation& invocation) {
  Control control(invocation.socket);
  return answer(terminal, invocation, control.get("/control/v1/status"), &render);
}

int run_books(Terminal& terminal, const Invocation& invocation) {
  Control control(invocation.socket);
  return answer(terminal, invocation, control.get("/control/v1/books"), &render);
}

int run_reload(Terminal& terminal, const Invocation& invocation) {
  Control control(invocation.socket);
  return answer(terminal, invocation, control.post("/control/v1/reload", {"", "application/json"}), &show_reloaded);
}

int run_apply(Terminal& terminal, const Invocation& invocation) {
  const std::string& path = invocation.positionals[0];
  auto text = read_all(path);
  if (!text) return show_error(terminal, as_of(invocation), text.error());
  Control control(invocation.socket);
  const std::string target =
      std::string("/control/v1/apply?dry_run=") + (invocation.has("--dry-run") ? "true" : "false");
  const Control::Body body{*text, "application/yaml", {{"X-File-Name", printable(path)}}};
  return answer(terminal, invocation, control.post(target, body), &render_changes);
}

int run_export(Terminal& terminal, const Invocation& invocation) {
  Control control(invocation.socket);
  auto reply = control.get("/control/v1/export");
  if (!reply) return show_error(terminal, as_of(invocation), reply.error());
  if (!reply->good()) return show_problem(terminal, as_of(invocation), *reply);
  if (as_of(invocation) == As::json) {
    JsonWriter json;
    json.begin_object().member("yaml", reply->body).end_object();
    terminal.out << json.text() << '\n';
  } else {
    terminal.out << reply->body;  // as it is: `isthmus apply` must read the same bytes
  }
  return exit_good;
}

int run_connection_secret(Terminal& terminal, const Invocation& invocation) {
  auto text = read_all(invocation.value("--file"));
  if (!text) return show_error(terminal, as_of(invocation), text.error());
  if (text->ends_with('\n')) text->pop_back();  // editors and echo end a line; a secret does not
  const Secret secret(std::move(*text));
  if (secret.empty()) {
    return show_error(
        terminal, as_of(invocation),
        {"secret.empty", std::string(Words{"the file is empty", "le fichier est vide"}.in(terminal.language)), {}, {}});
  }
  Control control(invocation.socket);
  const std::string target =
      "/control/v1/connections/" + encode(invocation.positionals[0]) + "/secrets/" + encode(invocation.positionals[1]);
  return answer(terminal, invocation, control.put(target, {secret.reveal(), "application/octet-stream"}), &show_done);
}

int run_parked_list(Terminal& terminal, const Invocation& invocation) {
  Control control(invocation.socket);
  return answer(terminal, invocation, control.get("/control/v1/parked"), &render);
}

int run_parked_retry(Terminal& terminal, const Invocation& invocation) {
  return act_on("parked", terminal, invocation, "retry");
}
int run_parked_hold(Terminal& terminal, const Invocation& invocation) {
  return act_on("parked", terminal, invocation, "hold");
}
int run_parked_drop(Terminal& terminal, const Invocation& invocation) {
  return act_on("parked", terminal, invocation, "drop");
}

int run_quarantine_list(Terminal& terminal, const Invocation& invocation) {
  Control control(invocation.socket);
  return answer(terminal, invocation, control.get("/control/v1/quarantine"), &render);
}

int run_quarantine_retry(Terminal& terminal, const Invocation& invocation) {
  return act_on("quarantine", terminal, invocation, "retry");
}
int run_quarantine_drop(Terminal& terminal, const Invocation& invocation) {
  return act_on("quarantine", terminal, invocation, "drop");
}

int run_archive_export(Terminal& terminal, const Invocation& invocation) {
  const std::string folder = invocation.value("--out");
  Control control(invocation.socket);
  const bool shown = terminal.progress == Terminal::Progress::shown && as_of(invocation) == As::text;
  auto done = download_bag(control, folder, [&](const BagProgress& progress) {
    if (shown) show_progress(terminal, progress);
  });
  if (shown) terminal.err << "\r\x1b[K";
  if (!done) return show_error(terminal, as_of(invocation), done.error());
  if (done->refused) return show_problem(terminal, as_of(invocation), *done->refused);
  if (as_of(invocation) == As::json) {
    JsonWriter json;
    json.begin_object()
        .member("out", folder)
        .member("files", std::uint64_t{done->fetched.files})
        .member("bytes", done->fetched.bytes);
    json.end_object();
    terminal.out << json.text() << '\n';
  } else {
    terminal.out << say(terminal.language,
                        {"{}: files {}, bytes {}; to check it: isthmus-verify {} --key KEY\n",
                         "{} : fichiers {}, octets {} ; pour le vérifier : isthmus-verify {} --key CLÉ\n"},
                        folder, done->fetched.files, done->fetched.bytes, folder);
  }
  return exit_good;
}

int run_archive_key(Terminal& terminal, const Invocation& invocation) {
  Control control(invocation.socket);
  auto reply = control.get("/control/v1/archive/key");
  if (!reply) return show_error(terminal, as_of(invocation), reply.error());
  if (!reply->good()) return show_problem(terminal, as_of(invocation), *reply);
  std::string key = printable(reply->body.substr(0, reply->body.find('\n')));
  if (as_of(invocation) == As::json) {
    JsonWriter json;
    json.begin_object().member("key", key).end_object();
    key = json.text();
  }
  terminal.out << key << '\n';
  return exit_good;
}

}  // namespace isthmus::cli
