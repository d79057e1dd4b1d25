#include "mapping/mapping.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <fstream>
#include <sstream>

#include "base/check.h"
#include "base/crypto.h"
#include "base/json.h"
#include "config/yaml.h"
#include "mapping/detail/loader.h"
#include "mapping/detail/plan.h"

namespace isthmus::mapping {
namespace {

using expression::Outcome;
using expression::Value;

constexpr std::size_t kDepthMax = expression::Document::kDepthMax;

class EventScope final : public expression::Scope {
 public:
  EventScope(Value event, const expression::Scope& more) : event_(std::move(event)), more_(more) {}
  [[nodiscard]] Value lookup(std::string_view root) const override {
    return root == "event" ? event_ : more_.lookup(root);
  }

 private:
  Value event_;
  const expression::Scope& more_;
};

/// An object of the target that is being written, or would be if one of its fields had a value.
struct OpenGroup {
  std::size_t group = 0;
  bool begun = false;
  const PlannedField* missing = nullptr;  // the first field in it that the format requires and that has no value
};

/// One pass over the plan's fields.
class Pass {
 public:
  Pass(const Plan& plan, const expression::Scope& scope, const Terms& terms)
      : plan_(plan), scope_(scope), terms_(terms), purposes_(terms.event) {}

  /// @param event_bytes what the body will be about as long as
  MappingResult run(std::size_t event_bytes) {
    writer_.reserve(event_bytes + event_bytes / 4 + 256);
    writer_.begin_object();
    for (const PlannedField& field : plan_.fields) {
      if (!leave_groups(field.groups) || !write(field)) return std::move(*stopped_);
    }
    if (!leave_groups({})) return std::move(*stopped_);
    writer_.end_object();
    if (purposes_.empty()) return Denied{"", "no purpose is allowed by all fields together"};
    if (writer_.text().size() > kBodyBytesMax) {
      return Held{"", fmt::format("the mapped body is longer than {} bytes", kBodyBytesMax)};
    }
    return Mapped{std::move(writer_).text(), purposes_, std::move(dropped_)};
  }

 private:
  // Ends the objects that the next field is not in, and enters the ones it is in. False: stopped.
  bool leave_groups(const std::vector<std::size_t>& next) {
    std::size_t kept = 0;
    while (kept < open_.size() && kept < next.size() && open_[kept].group == next[kept]) ++kept;
    while (open_.size() > kept) {
      const OpenGroup group = open_.back();
      open_.pop_back();
      if (!close(group)) return false;
    }
    for (; kept < next.size(); ++kept) open_.push_back(OpenGroup{next[kept]});
    return true;
  }

  bool close(const OpenGroup& group) {
    if (group.begun) writer_.end_object();
    if (group.missing == nullptr) return true;
    if (!group.begun && !plan_.groups[group.group].required) return true;
    const bool above_begun = open_.empty() || open_.back().begun;
    if (group.begun || above_begun) return fault(*group.missing, required_text());
    open_.back().missing = group.missing;
    return true;
  }

  bool write(const PlannedField& field) {
    const Outcome outcome = field.value.evaluate(scope_);
    if (!outcome.ok()) {
      const bool missing = outcome.status() == Outcome::Status::missing;
      return fault(field, fmt::format("{}{}", outcome.reason(), missing ? " is missing" : ""));
    }
    const Value& value = outcome.value();
    if (value.is_null()) return absent(field);
    if (std::string problem = plan_.to->problem_with(value, *field.format); !problem.empty()) {
      return fault(field, std::move(problem));
    }
    if (const Purposes allowed = purposes_of(field); allowed.empty()) {
      return denied(field);
    } else {
      purposes_ = purposes_ & allowed;
    }
    for (OpenGroup& group : open_) {
      if (!group.begun) writer_.key(plan_.groups[group.group].key).begin_object();
      group.begun = true;
    }
    writer_.key(field.key);
    value.to_json(writer_);
    return true;
  }

  // A value that is null was marked optional in the expression: the field is left out.
  bool absent(const PlannedField& field) {
    if (field.format->presence == FormatField::Presence::optional) return true;
    if (open_.empty()) return fault(field, required_text());
    if (open_.back().missing == nullptr) open_.back().missing = &field;
    return true;
  }

  [[nodiscard]] std::string required_text() const {
    return fmt::format("{} requires it, and its expression gave nothing", plan_.to->name);
  }

  [[nodiscard]] Purposes purposes_of(const PlannedField& field) const {
    Purposes allowed = Purposes::all();
    for (const std::string& path : field.reads) allowed = allowed & terms_.of(path);
    return allowed;
  }

  bool fault(const PlannedField& field, std::string reason) {
    switch (field.on_error) {
      case OnError::drop_field:
        dropped_.push_back(Mapped::Dropped{field.to, std::move(reason)});
        return true;
      case OnError::reject:
        stopped_ = Rejected{field.to, std::move(reason)};
        return false;
      default:
        stopped_ = Held{field.to, std::move(reason)};
        return false;
    }
  }

  bool denied(const PlannedField& field) {
    if (field.on_error == OnError::drop_field) {
      dropped_.push_back(Mapped::Dropped{field.to, "no purpose allows what it reads"});
      return true;
    }
    stopped_ = Denied{field.to, "no purpose allows what it reads"};
    return false;
  }

  const Plan& plan_;
  const expression::Scope& scope_;
  const Terms& terms_;
  Purposes purposes_;
  JsonWriter writer_;
  std::vector<OpenGroup> open_;
  std::vector<Mapped::Dropped> dropped_;
  std::optional<MappingResult> stopped_;
};

}  // namespace

struct Workspace::Buffers {
  simdjson::dom::parser parser{kEventBytesMax + 64};
  std::string padded;  // the event, with the bytes after it that the parser may read
};

Workspace::Workspace() : buffers_(std::make_unique<Buffers>()) {
  // Memory for the usual event at once; a larger one makes it grow, up to the parser's own limit.
  const auto allocated = buffers_->parser.allocate(64 * 1024, kDepthMax);
  ISTHMUS_CHECK(allocated == simdjson::SUCCESS, "without memory for one event nothing goes on");
}
Workspace::~Workspace() = default;

std::optional<Mapping> Mapping::parse(std::string_view yaml, const std::string& file, Diagnostics& diagnostics) {
  const auto root = config::parse_yaml(yaml, file, diagnostics);
  if (!root) return std::nullopt;
  auto plan = std::make_shared<Plan>();
  plan->library = expression::standard_library();
  plan->sha256 = crypto::sha256(yaml);
  load_plan(*root, *plan, diagnostics);
  if (diagnostics.has_errors()) return std::nullopt;
  return Mapping(std::move(plan));
}

std::optional<Mapping> Mapping::load(const std::filesystem::path& path, Diagnostics& diagnostics) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) {
    Diagnostic diagnostic;
    diagnostic.file = path.string();
    diagnostic.code = "mapping.unreadable";
    diagnostic.message = "the file cannot be read";
    diagnostics.add(std::move(diagnostic));
    return std::nullopt;
  }
  return parse(std::move(text).str(), path.string(), diagnostics);
}

const std::string& Mapping::name() const { return plan_->name; }
std::int64_t Mapping::version() const { return plan_->version; }
std::string_view Mapping::from() const { return plan_->from->name; }
std::string_view Mapping::to() const { return plan_->to->name; }
const Bytes& Mapping::sha256() const { return plan_->sha256; }

MappingResult Mapping::apply(Workspace& workspace, std::string_view event_json, const Terms& terms,
                             const expression::Scope& more) const {
  if (event_json.size() > kEventBytesMax)
    return Rejected{"", fmt::format("the event is longer than {} bytes", kEventBytesMax)};
  simdjson::dom::element root;
  Workspace::Buffers& buffers = *workspace.buffers_;
  buffers.padded.reserve(event_json.size() + simdjson::SIMDJSON_PADDING);
  buffers.padded.assign(event_json);
  const auto error = buffers.parser.parse(buffers.padded.data(), buffers.padded.size(), false).get(root);
  if (error != simdjson::SUCCESS) return Rejected{"", "the event is not JSON"};
  const EventScope scope(Value::from_json(root), more);
  return Pass(*plan_, scope, terms).run(event_json.size());
}

}  // namespace isthmus::mapping
