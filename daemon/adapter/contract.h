#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

/// The adapter contract in C++: what interfaces/adapter.thrift says, as values. A descriptor, a C++ class and a program
/// behind a Unix socket are all an Adapter. An adapter does no I/O, sees no token, keeps nothing between calls; the
/// same arguments give the same answer. Numbers in wire names (verdicts, verbs, losses) are those of the Thrift file.
namespace isthmus::adapter {

inline constexpr std::int32_t kContract = 1;
inline constexpr int kMovesMax = 64;                 ///< moves of one task; more is a fault of the adapter
inline constexpr std::size_t kStateBytesMax = 4096;  ///< of Step::state

enum class Verb {
  publish = 1,
  reply = 2,
  edit = 3,
  remove = 4,
  hide = 5,
  react = 6,
  upsert = 10,
  track = 11,
  call = 20
};
enum class Verdict {
  delivered = 1,
  duplicate = 2,
  retry = 3,
  throttled = 4,
  reauth = 5,
  rejected = 6,
  misconfigured = 7,
  gone = 8,
  ambiguous = 9
};
enum class Loss {
  connect = 1,
  tls = 2,
  timeout_unsent = 3,
  timeout_sent = 4,
  reset_sent = 5,
  too_large = 6,
  refused_by_guard = 7
};
enum class Presence { found = 1, absent = 2, unknown = 3 };

[[nodiscard]] std::string_view to_string(Verb verb);        ///< "PUBLISH", as on the wire
[[nodiscard]] std::string_view to_string(Verdict verdict);  ///< "DELIVERED"
[[nodiscard]] std::string_view to_string(Loss loss);        ///< "timeout_sent", as descriptors write it
[[nodiscard]] std::optional<Verb> verb_from(std::string_view text);
[[nodiscard]] std::optional<Verdict> verdict_from(std::string_view text);
[[nodiscard]] std::optional<Loss> loss_from(std::string_view text);

class Authenticator;  // adapter/auth.h

using Attrs = std::map<std::string, std::string>;
struct Header {
  std::string name;
  std::string value;
};

/// What the host knows when it asks; journaled with the task.
struct Context {
  std::int64_t now_ms = 0;
  Attrs connection;        ///< fields that an administrator filled in; never a secret
  Attrs auth;              ///< what a login gave that is no secret (a user's id, the instance's address): Session::kept
  std::string facts_json;  ///< what the server said of itself; "" when not known yet
  std::int32_t attempt = 1;  ///< 1, 2, ...
  std::int64_t first_attempt_ms = 0;
};

struct Media {
  std::string blob;  ///< 64 hex digits: SHA-256 of the bytes
  std::string mime;
  std::int64_t bytes = 0;
  std::string alt_text;
};

/// One unit of outbound work, already mapped and allowed by policy and purposes.
struct Command {
  std::string id;  ///< UUID, stable over retries and replays: the idempotency key
  Verb verb = Verb::publish;
  std::string operation;  ///< a name in the descriptor
  std::string format;     ///< "post/1", "lead/1", ...
  std::string body;       ///< JSON of that format
  std::vector<Media> media;
  std::string remote_id;  ///< what reply, edit, remove, hide, react act on
  std::int64_t not_after_ms = 0;
};

struct BlobRange {
  std::string blob;
  std::int64_t offset = 0;
  std::int64_t length = -1;  ///< -1: to the end
};
struct Part {
  std::string name;
  std::string content_type;
  std::string filename;
  Bytes data;
  std::optional<BlobRange> range;
};
using Body = std::variant<Bytes, BlobRange, std::vector<Part>>;

struct HttpRequest {
  std::string method;
  std::string url;  ///< absolute; its scheme, host and port must be ones approved for this connection
  std::vector<Header> headers;
  Body body;
  std::string bucket;  ///< the rate limit that it counts against; "" = the first of the description's that matches
  std::int32_t timeout_ms = 20000;  ///< 1 to 120000
  bool replay_safe = false;         ///< may the host send it again when the reply was lost?
};
struct HttpReply {
  std::int32_t status = 0;
  std::vector<Header> headers;
  Bytes body;
};
struct First {};
struct Waited {};
using Input = std::variant<First, HttpReply, Loss, Waited>;

struct Outcome {  ///< by command id, never by position
  std::string command_id;
  Verdict verdict = Verdict::retry;
  std::string remote_id;
  std::string remote_url;
  std::int64_t not_before_ms = 0;  ///< from Retry-After or reset headers: a floor; 0 = none
  std::string reason;              ///< code and sentence; no body, no token
};

/// One event that came in. Only parse() makes events, from a call or a polled reply that is already journaled.
struct Event {
  std::string dedup_key;  ///< names the object and its version, never the notification or the channel
  std::string kind;       ///< "social.mention", "lead.form", ...
  std::int64_t occurred_ms = 0;
  std::string order_key;              ///< conversation, contact, ...
  std::string format;                 ///< "activity/1", "lead/1", "metric/1"
  std::string body;                   ///< JSON
  std::vector<std::string> purposes;  ///< engagement, crm, marketing, analytics; empty: none
};

struct Deliver {
  std::vector<Command> commands;
};
struct Collect {
  std::string stream;
  Bytes cursor;  ///< "" at the start
  std::int32_t limit = 100;
};
struct Reconcile {
  Command command;
  std::int64_t sent_after_ms = 0;
};
/// Check::what for facts: the Report is the JSON object that Context::facts_json becomes, up to kFactsBytesMax.
inline constexpr std::string_view kCheckFacts = "facts";
inline constexpr std::size_t kFactsBytesMax = 4096;
struct Check {
  std::string what;
};
using Task = std::variant<Deliver, Collect, Reconcile, Check>;

struct Wait {
  std::int32_t ms = 0;
  std::string why;
};
struct Page {
  Bytes next_cursor;  ///< the host commits it with the journaled reply
  bool more = false;
};
struct Sighting {
  Presence presence = Presence::unknown;
  std::string remote_id;
  std::string remote_url;
};
struct Report {
  std::string text;
};
/// Outcomes answer a Deliver: one for each of its commands. Collect, Reconcile and Check may end in one Outcome too,
/// when the answer could not be had (RETRY, THROTTLED, REAUTH, MISCONFIGURED); its command_id is the reconciled
/// command's, or empty.
using Done = std::variant<std::vector<Outcome>, Page, Sighting, Report>;
struct Step {
  std::variant<HttpRequest, Wait, Done> move;
  Bytes state;  ///< up to kStateBytesMax, journaled with the intent
};

struct Call {
  std::string kind;  ///< "webhook" or "poll"
  std::string method;
  std::string path;
  std::string query;
  std::vector<Header> headers;
  Bytes body;
  std::int64_t received_ms = 0;
  std::string stream;       ///< of a polled reply
  std::int32_t status = 0;  ///< of a polled reply
};
struct Answer {
  std::int32_t status = 200;
  std::vector<Header> headers;
  Bytes body;
};
struct Problem {
  std::string code;
  std::string field;
  Attrs values;
};

/// How the host authenticates what an adapter asks for; the adapter itself never sees a secret.
struct AuthApply {
  enum class Mode { none, header, query, form, session, basic, standard_webhooks };
  Mode mode = Mode::none;
  std::string name;  ///< header, query parameter or form field
  std::string
      template_text;  ///< "Bearer ${token.access}": secret.* and token.* exist only here and in the login's requests
};

/// How the daemon verifies a webhook on its raw bytes before anything is parsed.
struct WebhookRecipe {
  enum class Kind { none, standard_webhooks, hmac_sha256, hubspot_v3, secret_in_header };
  Kind kind = Kind::none;
  std::string header;              ///< of the signature
  std::string prefix;              ///< "sha256="
  bool base64 = false;             ///< else hexadecimal
  std::string secret_field;        ///< which secret of the connection
  std::string delivery_id_header;  ///< names one delivery, for the first filter; "" = none
  std::int32_t answer_status = 204;
};

/// A field of a connection that an administrator fills in, or a secret that is sealed.
struct FieldSpec {
  std::string name;
  std::string type;  ///< "string", "host", "url", "integer", "secret"
  bool required = true;
  std::string default_value;
};

struct StreamSpec {
  std::string name;
  std::int64_t every_ms = 60000;
};
struct OperationSpec {
  std::string name;
  Verb verb = Verb::publish;
  std::string format;   ///< "post/1"
  std::string purpose;  ///< what a datum must allow to leave this way: "crm", "analytics", "engagement", ...; "" for
                        ///< what we wrote ourselves
  bool replay_safe = false;                ///< may be repeated for ever (upsert by a key of ours)
  std::int64_t idempotency_window_ms = 0;  ///< within it the vendor recognises a repeated send; 0 = none
  bool reconcilable = false;
  std::int32_t batch_max = 1;       ///< commands that one Deliver may hold, all of this operation
  std::int32_t timeout_ms = 20000;  ///< the longest that one of its requests may take
};

/// A limit of the network's that some of the requests count against. Without rate it is known from replies alone.
struct BucketSpec {
  std::string name;
  std::string method;          ///< "" = any
  std::string path;            ///< of the URL, * is one or more characters but /; "" = any
  std::int64_t rate = 0;       ///< requests in a window, until replies say otherwise; 0 = not known
  std::int64_t window_ms = 0;  ///< of rate
  std::int64_t cost = 1;       ///< what one request counts; several entries of one name count together
};

/// What the network says of its limits, and in which headers: adapter/limits.h reads them.
struct LimitSpec {
  enum class Format { epoch_seconds, epoch_ms, rfc3339, delta_seconds, delta_ms };
  std::string reset;  ///< header with the time when the window ends; "" = none
  Format format = Format::epoch_seconds;
  std::string remaining;            ///< header with the requests that are left in the window; "" = none
  std::string limit;                ///< header with the requests of a whole window; "" = none
  std::vector<BucketSpec> buckets;  ///< the first that matches counts the request; without any, one counts them all
};

/// What the host must know of an adapter without asking it to act.
struct Description {
  std::string name;     ///< "bluesky"
  std::string version;  ///< of the descriptor
  std::string kind;     ///< "social", "crm", "analytics", "forms", "feed", "generic"
  Bytes sha256;         ///< of the descriptor's bytes (or of describe()'s JSON)
  std::vector<FieldSpec> fields;
  std::vector<std::string> secrets;
  std::vector<StreamSpec> streams;
  std::vector<OperationSpec> operations;
  WebhookRecipe webhook;
  AuthApply auth;
  /// How long after a request ended, or must have ended, its effect may still be invisible on the network.
  std::int64_t settling_ms = 5000;
  LimitSpec limits;
  std::int64_t facts_every_ms = 0;  ///< how often Check{kCheckFacts} is asked; 0 = this network says nothing of itself
};

/// One adapter. Thread safe: every function is const and pure.
/// Errors: code "adapter.fault" (a bug or a foreign program's failure; the commands are untouched),
///         "adapter.poison" (this input can never be worked: quarantine it),
///         "adapter.slow" (a program that works for others does not answer this: quarantine it),
///         "adapter.unavailable" (a program is not there: nothing is known of the input; ask again later).
class Adapter {
 public:
  virtual ~Adapter() = default;
  [[nodiscard]] virtual const Description& describe() const = 0;
  [[nodiscard]] virtual Result<Step> advance(const Context& context, const Task& task, const Bytes& state,
                                             const Input& input) const = 0;
  [[nodiscard]] virtual Result<std::vector<Event>> parse(const Context& context, const Call& call) const = 0;
  [[nodiscard]] virtual Result<Answer> challenge(const Context& context, const Call& call) const = 0;
  [[nodiscard]] virtual Result<std::vector<Problem>> validate(const Context& context, const Command& command) const = 0;
  /// The addresses it wants to reach for this connection, as scheme://host[:port]; a person approves them.
  [[nodiscard]] virtual std::vector<std::string> hosts(const Context& context) const = 0;
  /// How the host signs what is sent; nullptr when nothing is added. Lives as long as the adapter.
  [[nodiscard]] virtual const Authenticator* authenticator() const { return nullptr; }
  /// Another process answers: a call may take seconds, and must not be made on a thread that serves others.
  [[nodiscard]] virtual bool is_program() const { return false; }
  /// Whether it can be asked at all now: of a program whether it is there, and is the one that was installed.
  [[nodiscard]] virtual Result<void> meet() const { return {}; }
};

}  // namespace isthmus::adapter
