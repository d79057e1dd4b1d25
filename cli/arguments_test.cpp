#include <gtest/gtest.h>

#include "cli/command.h"

namespace isthmus::cli {
namespace {

Result<Invocation> parse(std::vector<std::string> words, Language language = Language::english) {
  return parse_arguments(words, language);
}

std::string refusal(std::vector<std::string> words, Language language = Language::english) {
  const auto parsed = parse(std::move(words), language);
  return parsed ? "accepted" : parsed.error().what;
}

TEST(Arguments, TakeOptionsBeforeAndAfterTheCommand) {
  const auto before = parse({"--socket", "/a", "--json", "status"});
  ASSERT_TRUE(before);
  EXPECT_EQ(before->command->name, "status");
  EXPECT_EQ(before->socket, "/a");
  EXPECT_EQ(before->output, Invocation::Output::json);
  const auto after = parse({"status", "--socket=/b"});
  ASSERT_TRUE(after);
  EXPECT_EQ(after->socket, "/b");
  EXPECT_EQ(after->output, Invocation::Output::text);
}

TEST(Arguments, KnowTheDefaultSocket) { EXPECT_EQ(parse({"books"})->socket, "/run/isthmus/control.sock"); }

TEST(Arguments, TakeWordsAfterTwoDashesAsTheyAre) {
  const auto parsed = parse({"parked", "retry", "--", "--json"});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->positionals, std::vector<std::string>{"--json"});
}

TEST(Arguments, RefuseWhatIsMissing) {
  EXPECT_EQ(refusal({}), "a command is needed");
  EXPECT_EQ(refusal({"parked", "retry"}),
            "\"parked retry\" needs COMMAND: id of a command, as \"isthmus parked list\" shows it");
  EXPECT_EQ(refusal({"archive", "export"}), "\"archive export\" needs --out DIR");
  EXPECT_EQ(refusal({"archive", "export", "--out"}), "--out needs a value: DIR");
  EXPECT_EQ(refusal({"adapter", "test"}),
            "\"adapter test\" needs PATH: folder of an adapter, or one that holds such folders");
  EXPECT_EQ(refusal({"adapter", "test", "one", "two"}), "accepted");
}

TEST(Arguments, RefuseWhatIsTooMuchOrUnknownAndNameTheNearest) {
  EXPECT_EQ(refusal({"status", "now"}), "\"status\" does not take \"now\"");
  EXPECT_EQ(refusal({"statsu"}), "there is no command \"statsu\"; did you mean \"status\"?");
  EXPECT_EQ(refusal({"apply", "f", "--dryrun"}), "--dryrun is not an option of \"apply\"; did you mean --dry-run?");
  EXPECT_EQ(refusal({"apply", "f", "--dry-run=yes"}), "--dry-run takes no value");
  EXPECT_EQ(refusal({"archive"}), "\"archive\" needs one more word: archive export, archive key");
  EXPECT_EQ(refusal({"mapping", "check", "f", "--socket", "s"}), "--socket is not an option of \"mapping check\"");
}

TEST(Arguments, AreRefusedInFrenchToo) {
  EXPECT_EQ(refusal({"statsu"}, Language::french),
            "la commande « statsu » n'existe pas ; vouliez-vous dire « status » ?");
}

TEST(Language, FollowsTheFirstVariableThatIsSet) {
  EXPECT_EQ(language_of("", "", "fr_FR.UTF-8"), Language::french);
  EXPECT_EQ(language_of("C", "", "fr_FR.UTF-8"), Language::english);
  EXPECT_EQ(language_of("fr_BE", "en_US", ""), Language::french);
  EXPECT_EQ(language_of("", "", "fro"), Language::english);  // another language
}

TEST(Help, TellsEveryCommandInBothLanguages) {
  for (const Command& command : all_commands()) {
    EXPECT_FALSE(command.summary.en.empty()) << command.name;
    EXPECT_FALSE(command.summary.fr.empty()) << command.name;
    EXPECT_EQ(command.details.en.empty(), command.details.fr.empty()) << command.name;
    EXPECT_NE(general_help(Language::french).find(command.name), std::string::npos);
    const auto asked = parse({"help", std::string(command.name.substr(0, command.name.find(' ')))});
    EXPECT_TRUE(asked);
  }
}

TEST(Help, OfACommandIsWholeInEnglishAndInFrench) {
  const auto parsed = parse({"archive", "export", "--help"});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->wish, Invocation::Wish::help);
  EXPECT_EQ(command_help(*parsed->command, Language::english),
            "usage: isthmus archive export --out DIR [--json] [--socket PATH]\n\n"
            "write the archive as a bag that can be verified\n"
            "Each file is held against the size and SHA-256 that the daemon announced; DIR appears only when the bag "
            "is whole.\n\n"
            "  --out DIR          folder to make; it must not exist\n"
            "  --json             print one JSON value, for machines; errors too\n"
            "  --socket PATH      control socket of the daemon (/run/isthmus/control.sock)\n"
            "  --help             print this text\n");
  EXPECT_EQ(command_help(*parsed->command, Language::french),
            "usage : isthmus archive export --out DIR [--json] [--socket PATH]\n\n"
            "écrire l'archive en un sac vérifiable\n"
            "Chaque fichier est comparé à la taille et au SHA-256 annoncés par le démon ; DIR n'apparaît que si le sac "
            "est entier.\n\n"
            "  --out DIR          dossier à créer ; il ne doit pas exister\n"
            "  --json             écrire une valeur JSON, pour les machines ; les erreurs aussi\n"
            "  --socket PATH      socket de contrôle du démon (/run/isthmus/control.sock)\n"
            "  --help             écrire ce texte\n");
}

TEST(Printable, KeepsTextAndReplacesWhatMovesACursor) {
  EXPECT_EQ(printable("café \xF0\x9F\x98\x80"), "café \xF0\x9F\x98\x80");
  EXPECT_EQ(printable("a\x1b[2Jb\nc"), "a?[2Jb?c");
  EXPECT_EQ(printable("a\nb", LineFeeds::kept), "a\nb");
  EXPECT_EQ(printable("a\xC2\x9B"
                      "31m"),
            "a?31m");  // U+009B is CSI in one character
  EXPECT_EQ(printable("a\xFF"), "a?");
}

}  // namespace
}  // namespace isthmus::cli
