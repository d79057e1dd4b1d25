#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "expression/value.h"

namespace isthmus::policy {

/// What a decision says; later ones beat earlier ones.
enum class Effect { permit, warn, hold, forbid };

[[nodiscard]] std::string_view to_string(Effect effect);

/// A piece of content that rules search, with its place in the body.
struct Text {
  std::string field;  ///< "text", "link.title", "media[0].alt"
  std::string text;   ///< UTF-8
};

/// A question to the decision point: may this principal do this to that, in these circumstances? (The terms are
/// XACML's.) Everything is borrowed for the call.
struct Request {
  struct Principal {
    std::string_view subject;  ///< empty: nobody asks, a route does
    std::string_view kind;     ///< "person", "machine", "route"
    std::string_view unit;
    std::span<const std::string> rights;
  };
  struct Resource {
    std::string_view connection;  ///< where it would go
    std::string_view adapter;     ///< that connection's system: "bluesky"
    std::string_view unit;        ///< that connection's unit
    std::string_view operation;   ///< "upsert_lead"; may be empty
    std::string_view format;      ///< of the body: "post/1"
    std::string_view author;      ///< subject of whoever wrote it; may be empty
    std::string_view purpose;     ///< what the target would use it for: "crm", "marketing", "analytics", "engagement";
                                  ///< empty: none is needed
    std::span<const std::string> purposes;  ///< what the datum may be used for; empty: nothing
    std::string_view terms;                 ///< whose terms say so, for the reason: "the terms of x"
    std::span<const Text> texts;            ///< what rules search; see content_texts()
    expression::Value body;                 ///< for conditions: resource.body.*
  };

  Principal principal;
  std::string_view action;  ///< one of actions()
  Resource resource;
  expression::Value context;                   ///< an object, for conditions: context.*
  std::span<const std::string> released = {};  ///< "pack/rule" of holds that a person released; they do not hold again
};

/// publish, reply, remove, hide, deliver, track, release.
[[nodiscard]] const std::vector<std::string>& actions();

/// The texts of a body that a reader of it would see, by its format: of post/1 its text, link and descriptions of
/// media; of activity/1 the content; of lead/1 the message; of any other every text in it.
[[nodiscard]] std::vector<Text> content_texts(std::string_view format, const expression::Value& body);

/// An answer, complete enough to be stored with what it decided and to be explained for ever.
struct Decision {
  struct Match {
    std::string field;        ///< of Text
    std::uint32_t begin = 0;  ///< bytes of UTF-8, from here
    std::uint32_t end = 0;    ///< to before here
  };
  Effect effect = Effect::forbid;
  std::string rule;          ///< "card-number"
  std::string pack;          ///< "base"; "built-in" for purposes.* and default.deny
  std::string pack_version;  ///< of the pack
  std::string held_for;      ///< who may release it; of hold only
  std::string reason_en;
  std::string reason_fr;
  std::optional<Match> match;  ///< what was found, when the rule searches content
};

}  // namespace isthmus::policy
