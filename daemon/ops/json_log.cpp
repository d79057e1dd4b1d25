#include "ops/json_log.h"

#include <unistd.h>

#include <boost/log/attributes/attribute_value_impl.hpp>
#include <boost/log/attributes/constant.hpp>
#include <boost/log/attributes/value_extraction.hpp>
#include <boost/log/core.hpp>
#include <boost/log/sinks/basic_sink_backend.hpp>
#include <boost/log/sinks/frontend_requirements.hpp>
#include <boost/log/sinks/sync_frontend.hpp>
#include <boost/smart_ptr/make_shared.hpp>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "ops/detail/log_line.h"

namespace isthmus::ops {
namespace {

namespace logging = boost::log;
using logging::sinks::flushing;
using logging::sinks::synchronized_feeding;

// Gathers whole lines and hands them over in one write(). The frontend holds its lock around each call.
class BufferingBackend : public logging::sinks::basic_sink_backend<
                             logging::sinks::combine_requirements<synchronized_feeding, flushing>::type> {
 public:
  BufferingBackend(int descriptor, std::size_t buffer_bytes) : descriptor_(descriptor), buffer_bytes_(buffer_bytes) {
    buffer_.reserve(buffer_bytes);
  }

  void consume(const logging::record_view& record) {
    const auto line = logging::extract<std::string>("Line", record);
    if (!line) return;
    if (buffer_.size() + line->size() + 1 > buffer_bytes_) flush();
    buffer_.append(*line).push_back('\n');
    ++lines_;
  }

  void flush() {
    std::string_view rest = buffer_;
    while (!rest.empty()) {
      const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        lost_.fetch_add(lines_, std::memory_order_relaxed);
        break;
      }
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    buffer_.clear();
    lines_ = 0;
  }

  [[nodiscard]] std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  const int descriptor_;
  const std::size_t buffer_bytes_;
  std::string buffer_;
  std::uint64_t lines_ = 0;
  std::atomic<std::uint64_t> lost_{0};
};

using Sink = logging::sinks::synchronous_sink<BufferingBackend>;

}  // namespace

// Boost.Log's core is one for the process; a record carries the address of its JsonLog, and a sink takes its own only.
struct JsonLog::Pipe {
  Pipe(int descriptor, const Limits& limits)
      : backend(boost::make_shared<BufferingBackend>(descriptor, limits.buffer_bytes)),
        sink(boost::make_shared<Sink>(backend)) {
    const void* self = this;
    attributes.insert("Pipe", logging::attributes::constant<const void*>(self));
    sink->set_filter([self](const logging::attribute_value_set& values) {
      const auto owner = logging::extract<const void*>("Pipe", values);
      return owner && *owner == self;
    });
    core->add_sink(sink);
    flusher = std::jthread(
        [this, period = limits.flush_period](const std::stop_token& stop) { flush_in_turn(stop, period); });
  }

  ~Pipe() {
    flusher = {};  // stops and joins
    core->remove_sink(sink);
    sink->flush();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void flush_in_turn(const std::stop_token& stop, std::chrono::milliseconds period) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      wake.wait_for(lock, stop, period, [] { return false; });
      sink->flush();
    }
  }

  logging::core_ptr core = logging::core::get();
  boost::shared_ptr<BufferingBackend> backend;
  boost::shared_ptr<Sink> sink;
  logging::attribute_set attributes;
  std::jthread flusher;
};

JsonLog::JsonLog(int descriptor, LogLevel level_min, const Clock& clock, Limits limits)
    : clock_(clock), limits_(limits), level_min_(level_min), pipe_(std::make_unique<Pipe>(descriptor, limits)) {}

JsonLog::~JsonLog() = default;

void JsonLog::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (level < level_min_.load(std::memory_order_relaxed)) return;
  logging::record record = pipe_->core->open_record(pipe_->attributes);
  if (!record) return;
  record.attribute_values().insert("Line", logging::attributes::make_attribute_value(detail::log_line(
                                               clock_.now(), level, event, fields, limits_.text_bytes_max)));
  pipe_->core->push_record(std::move(record));
  if (level >= LogLevel::warning) flush();
}

void JsonLog::flush() { pipe_->sink->flush(); }

std::uint64_t JsonLog::lost() const { return pipe_->backend->lost(); }

LogLevel level_from(std::string_view name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "warning") return LogLevel::warning;
  return name == "error" ? LogLevel::error : LogLevel::info;
}

}  // namespace isthmus::ops
