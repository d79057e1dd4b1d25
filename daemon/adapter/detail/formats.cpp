#include "adapter/detail/formats.h"

#include <array>

namespace isthmus::adapter::detail {
namespace {

struct Format {
  std::string_view name;
  std::vector<std::string_view> paths;
};

const std::array<Format, 4>& formats() {
  static const std::array<Format, 4> kFormats{{
      {"post/1",
       {"text", "language", "link.url", "link.title", "link.description", "media.blob", "media.mime", "media.bytes",
        "media.alt", "reply_to.id", "reply_to.root", "created_at"}},
      {"lead/1", {"source",          "external_id",   "submitted_at",    "person.name",      "person.first",
                  "person.last",     "person.email",  "person.phone",    "person.company",   "social.network",
                  "social.id",       "social.handle", "message",         "campaign",         "consent.given",
                  "consent.wording", "consent.at",    "consent.channel", "consent.purposes", "opt_out"}},
      {"metric/1", {"action", "url", "campaign", "visitor", "occurred_at", "value"}},
      {"activity/1",
       {"type",
        "id",
        "published",
        "actor.type",
        "actor.id",
        "actor.preferredUsername",
        "actor.name",
        "actor.url",
        "object.type",
        "object.id",
        "object.content",
        "object.mediaType",
        "object.published",
        "object.url",
        "object.inReplyTo",
        "object.tag.type",
        "object.tag.href",
        "object.tag.name",
        "isthmus.network",
        "isthmus.kind",
        "isthmus.root"}},
  }};
  return kFormats;
}

}  // namespace

std::vector<std::string> format_paths(std::string_view format, std::string_view root) {
  std::vector<std::string> out;
  for (const Format& known : formats()) {
    if (known.name != format) continue;
    for (std::string_view path : known.paths) out.push_back(std::string(root) + "." + std::string(path));
  }
  return out;
}

std::vector<std::string> known_formats() {
  std::vector<std::string> out;
  for (const Format& known : formats()) out.emplace_back(known.name);
  return out;
}

}  // namespace isthmus::adapter::detail
