#include "fault.h"

#include <cstdlib>

namespace verify {
namespace {

struct Row {
  Fault fault;
  std::string_view code;
  std::string_view english;
  std::string_view french;
};

constexpr Row kRows[] = {
    {Fault::unreadable, "file.unreadable", "cannot be read", "ne peut pas être lu"},
    {Fault::not_regular, "file.not-regular",
     "is neither a plain file nor a folder (a link, a device or a socket has no place in a bag)",
     "n'est ni un fichier ordinaire ni un dossier (un lien, un périphérique ou un socket n'a pas sa place dans un "
     "sac)"},
    {Fault::bad_name, "file.bad-name", "has a name that bags do not use", "porte un nom que les sacs n'utilisent pas"},
    {Fault::too_many_files, "bag.too-many-files", "holds more files than a bag may have",
     "contient plus de fichiers qu'un sac ne peut en avoir"},
    {Fault::missing, "file.missing", "is missing", "manque"},
    {Fault::unlisted, "file.unlisted", "is not listed in any manifest", "ne figure dans aucun manifeste"},
    {Fault::too_large, "file.too-large", "is larger than this file of a bag may be",
     "est plus grand que ce fichier d'un sac ne peut l'être"},
    {Fault::changed, "file.changed", "was changed: its SHA-256 is not the one that is listed",
     "a été modifié : son SHA-256 n'est pas celui qui est inscrit"},
    {Fault::bad_signature, "signature.bad", "has no valid signature of the given key and nothing else",
     "n'a pas exactement une signature valide de la clé donnée"},
    {Fault::bad_signed_text, "signature.bad-text", "is signed, but does not say what a bag's signature says",
     "est signé, mais ne dit pas ce que dit la signature d'un sac"},
    {Fault::bad_manifest, "manifest.bad",
     "is malformed: each line is a SHA-256, two spaces and a path, in order and once",
     "est mal formé : chaque ligne est un SHA-256, deux espaces et un chemin, dans l'ordre et une seule fois"},
    {Fault::bad_tag_file, "tag-file.bad", "does not have the content that this format asks for",
     "n'a pas le contenu que ce format demande"},
    {Fault::counts_differ, "bag.counts-differ", "states another number of records or bytes than the bag holds",
     "indique un autre nombre d'enregistrements ou d'octets que celui du sac"},
    {Fault::bad_checkpoint, "checkpoint.bad", "is no checkpoint that the given key signed for this log and this size",
     "n'est pas un point de contrôle que la clé donnée a signé pour ce journal et cette taille"},
    {Fault::bad_gaps, "gaps.bad", "is malformed", "est mal formé"},
    {Fault::gap_not_declared, "gaps.not-declared",
     "records are missing from here on, and the manifest of gaps does not say so",
     "des enregistrements manquent à partir d'ici, et le manifeste des lacunes ne le dit pas"},
    {Fault::gap_not_real, "gaps.not-real", "declares a gap where the bag has records or the log has none",
     "déclare une lacune là où le sac a des enregistrements ou le journal n'en a pas"},
    {Fault::bad_line, "record.bad-line", "the line is not in the one spelling that bags use",
     "la ligne n'a pas l'unique forme que les sacs utilisent"},
    {Fault::bad_header, "record.bad-header", "the header is not of record format 1",
     "l'en-tête n'est pas du format d'enregistrement 1"},
    {Fault::bad_order, "record.bad-order", "the index is not above the one before, or beyond the checkpoint",
     "le numéro n'est pas supérieur au précédent, ou dépasse le point de contrôle"},
    {Fault::bad_body, "record.bad-body", "the body is not of record format 1",
     "le corps n'est pas du format d'enregistrement 1"},
    {Fault::bad_commitment, "record.bad-commitment", "the body is not the one that the header commits to",
     "le corps n'est pas celui auquel l'en-tête s'engage"},
    {Fault::bad_proof, "proof.bad", "the proof does not lead from this record to the signed root",
     "la preuve ne mène pas de cet enregistrement à la racine signée"},
    {Fault::proof_missing, "proof.missing", "no proof for this record", "aucune preuve pour cet enregistrement"},
    {Fault::proof_of_nothing, "proof.of-nothing", "holds proofs beyond the last record",
     "contient des preuves au-delà du dernier enregistrement"},
    {Fault::bad_tombstone, "tombstone.bad", "does not say that the record which names it was erased",
     "ne dit pas que l'enregistrement qui le nomme a été effacé"},
    {Fault::tombstone_missing, "tombstone.missing", "names a record of its erasure that the bag does not hold",
     "nomme un enregistrement de son effacement que le sac ne contient pas"},
    {Fault::root_differs, "log.root-differs", "all records together do not give the signed root",
     "tous les enregistrements ensemble ne donnent pas la racine signée"},
};

const Row& row_of(Fault fault) {
  for (const Row& row : kRows) {
    if (row.fault == fault) return row;
  }
  std::abort();  // a fault without a row is a bug of this program
}

/// Names come from the bag: nothing in them may steer a terminal.
std::string printable(std::string_view name) {
  std::string out;
  for (const char c : name.substr(0, 300)) out += c >= ' ' && c <= '~' ? c : '?';
  return out;
}

}  // namespace

const std::vector<Fault>& all_faults() {
  static const std::vector<Fault> faults = [] {
    std::vector<Fault> out;
    for (const Row& row : kRows) out.push_back(row.fault);
    return out;
  }();
  return faults;
}

std::string_view code_of(Fault fault) { return row_of(fault).code; }

std::string_view text_of(Fault fault, Language language) {
  return language == Language::french ? row_of(fault).french : row_of(fault).english;
}

std::string to_text(const Finding& finding, Language language) {
  const bool french = language == Language::french;
  std::string out = printable(finding.file);
  if (finding.line) out += (french ? ", ligne " : ", line ") + std::to_string(*finding.line);
  if (finding.index) out += (french ? ", enregistrement " : ", record ") + std::to_string(*finding.index);
  if (!finding.record.empty()) out += " (" + printable(finding.record) + ")";
  out += french ? " : " : ": ";
  return out.append(text_of(finding.fault, language));
}

}  // namespace verify
