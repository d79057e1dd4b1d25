#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapter/contract.h"
#include "adapter/detail/value_template.h"

/// A descriptor as it stands in memory after loading: every text compiled, every name checked.
/// docs/formats/descriptor-1.md explains each key. Immutable; shared by all threads.
namespace isthmus::adapter::detail {

using ValuePlan = std::shared_ptr<const ValueTemplate>;

/// A rule of `errors`: the first whose condition holds decides what the reply means.
struct Rule {
  enum class Act { verdict, presence, go, skip };
  std::vector<std::string> statuses;  ///< "401", "4xx"; empty: any
  std::vector<std::string> codes;     ///< of the descriptor's `code`; empty: any
  std::vector<std::string> operations;
  std::vector<Loss> losses;  ///< when not empty the rule is about lost replies only
  std::optional<expression::Expression> condition;
  Act act = Act::verdict;
  Verdict verdict = Verdict::retry;
  Presence presence = Presence::unknown;
  std::string go;  ///< name of the step to go to
  std::optional<expression::Template> reason;
  std::optional<expression::Template> not_before;  ///< milliseconds since 1970, or RFC 3339
  std::optional<expression::Template> remote_id;
  std::optional<expression::Template> remote_url;
};

struct MultipartPart {
  std::string name;
  std::optional<expression::Template> text;
  std::optional<expression::Template> blob;
  std::optional<expression::Template> content_type;
  std::optional<expression::Template> filename;
};

struct RequestPlan {
  enum class BodyKind { none, json, form, text, blob, multipart };
  std::string method;
  std::optional<expression::Template> target;  ///< "/path" below base_url, or an absolute URL
  std::vector<std::pair<std::string, ValuePlan>> query;
  std::vector<std::pair<std::string, expression::Template>> headers;
  BodyKind body = BodyKind::none;
  ValuePlan json;
  std::vector<std::pair<std::string, ValuePlan>> form;
  std::optional<expression::Template> text;  ///< of a text body, or names the blob
  std::optional<expression::Template> content_type;
  std::vector<MultipartPart> multipart;
  bool replay_safe = false;
  std::int32_t timeout_ms = 0;  ///< 0: the descriptor's
};

struct Poll {
  RequestPlan request;
  std::optional<expression::Expression> pending;
  std::optional<expression::Expression> start;  ///< poll only when the step's own reply says so; absent: always
  std::int32_t every_ms = 2000;
  int times_max = 60;
  std::vector<std::pair<std::string, ValuePlan>> take;
};

struct StepPlan {
  std::string name;
  std::optional<expression::Expression> condition;
  std::optional<expression::Template> each;
  std::string as = "item";
  std::optional<RequestPlan> request;
  std::vector<std::string> ok;  ///< statuses of success; default 2xx
  std::vector<std::pair<std::string, ValuePlan>> take;
  std::optional<Poll> poll;
  std::vector<Rule> rules;
};

struct Batch {
  int max = 1;
  ValuePlan items;  ///< list in the reply
  bool by_order = true;
  std::optional<expression::Template> match;  ///< of an item: the command's id (by_order false)
  std::optional<expression::Template> key;    ///< of a command: what match equals; default its id
  std::optional<expression::Expression> ok;
  std::optional<expression::Template> remote_id;
  std::optional<expression::Template> code;
  std::optional<expression::Template> reason;
  std::vector<Rule> rules;
};

struct ReconcilePlan {
  std::vector<StepPlan> steps;
  std::optional<expression::Expression> found;
  std::optional<expression::Template> remote_id;
  std::optional<expression::Template> remote_url;
};

struct OperationPlan {
  OperationSpec spec;
  std::vector<std::pair<std::string, ValuePlan>> let;
  std::vector<StepPlan> steps;
  std::optional<Batch> batch;
  std::optional<ReconcilePlan> reconcile;
  std::optional<expression::Template> remote_id;
  std::optional<expression::Template> remote_url;
  std::optional<expression::Expression> duplicate;                      ///< after success: the network had it already
  std::optional<expression::Template> text;                             ///< what `text` counts
  std::vector<std::pair<std::string, expression::Expression>> require;  ///< field named in the problem, what must hold
};

struct EventPlan {
  std::optional<expression::Expression> condition;
  std::vector<std::pair<std::string, ValuePlan>> let;
  std::optional<expression::Template> kind;
  std::optional<expression::Template> dedup;
  std::optional<expression::Template> at;  ///< RFC 3339 or milliseconds
  std::optional<expression::Template> order_key;
  std::string format;
  ValuePlan body;
  std::vector<std::string> purposes;
  ValuePlan purposes_value;  ///< instead: a list that the record decides
};

enum class Decode { json, feed };

struct StreamPlan {
  enum class Order { oldest_first, newest_first };
  enum class Paging { none, link, token };
  StreamSpec spec;
  RequestPlan request;
  Decode decode = Decode::json;
  std::optional<expression::Template> records;
  Paging paging = Paging::none;
  std::string rel = "next";
  std::optional<expression::Template> next;  ///< token or address of the next page
  bool next_is_url = false;
  int pages_max = 200;
  int first_pages_max = 200;
  std::optional<expression::Template> mark;  ///< of a record
  bool mark_is_number = false;
  std::optional<expression::Template> mark_of_page;  ///< instead of looking at each record
  std::optional<expression::Template> start;         ///< the mark before the first run
  Order order = Order::oldest_first;
  std::vector<std::string> ok;
  std::vector<std::pair<std::string, expression::Template>> keep;  ///< values kept in the cursor (etag)
  std::vector<EventPlan> events;
  std::vector<Rule> rules;
};

struct WebhookPlan {
  WebhookRecipe recipe;
  Decode decode = Decode::json;
  std::optional<expression::Template> records;
  std::vector<EventPlan> events;
  struct Challenge {
    std::optional<expression::Expression> condition;
    int status = 200;
    std::string content_type = "text/plain";
    std::optional<expression::Template> body;
  };
  std::vector<Challenge> challenges;
};

struct TextLimit {
  enum class Count { graphemes, code_points, utf16, bytes, weighted };
  Count count = Count::graphemes;
  std::optional<expression::Template> max;
  std::int64_t bytes_max = 0;                      ///< 0: none
  std::optional<expression::Template> url_weight;  ///< each URL counts as this many
};
struct MediaLimit {
  std::optional<expression::Template> count_max;
  std::optional<expression::Template> bytes_max;
  std::optional<expression::Template> image_bytes_max;  ///< of image/*, instead
  std::vector<std::string> mimes;
};

struct TakenToken {
  std::string name;
  expression::Template value;
};
struct LoginCall {
  RequestPlan request;
  std::vector<TakenToken> take;
  std::vector<TakenToken> keep;
  std::optional<expression::Template> expires;  ///< milliseconds since 1970
  std::optional<expression::Expression> ok;     ///< beyond a 2xx status
  std::optional<expression::Template> bearer;   ///< Authorization of the call itself
};
struct AuthPlan {
  AuthApply apply;
  std::optional<expression::Template> value;
  bool optional = false;                               ///< without the secret the request goes as it is
  std::string secret_field;                            ///< of a signature
  std::optional<expression::Template> user, password;  ///< of basic
  std::optional<expression::Template> base_url;
  std::optional<LoginCall> login, refresh;
  std::vector<Rule> refresh_on;
  std::optional<expression::Template> code;
  std::string user_agent;
};

/// What the server says of itself: asked now and then, kept by the host, read as facts.X.
struct FactsPlan {
  RequestPlan request;
  std::vector<std::pair<std::string, ValuePlan>> take;
};

struct CheckPlan {
  RequestPlan request;
  std::optional<expression::Template> show;
};

struct Descriptor {
  Description description;
  expression::Library library;  ///< what the texts were compiled with; outlives them
  std::string minimum_purpose;
  std::vector<expression::Template> hosts;
  std::optional<expression::Template> base_url;
  std::vector<std::pair<std::string, expression::Template>> headers;
  std::int32_t timeout_ms = 20000;
  std::optional<expression::Template> code;  ///< of an error reply
  std::optional<expression::Template> reason;
  std::vector<Rule> rules;
  TextLimit text;
  MediaLimit media;
  std::map<std::string, OperationPlan, std::less<>> operations;
  std::map<std::string, StreamPlan, std::less<>> streams;
  std::optional<WebhookPlan> webhook;
  std::optional<CheckPlan> check;
  std::optional<FactsPlan> facts;
  std::shared_ptr<const AuthPlan> auth;
};

}  // namespace isthmus::adapter::detail
