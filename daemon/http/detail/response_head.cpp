#include "http/detail/response_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace isthmus::http::detail {
namespace {

constexpr std::array<std::string_view, 4> kOwnFields{"content-length", "transfer-encoding", "connection", "date"};

}  // namespace

std::string format_date(Instant instant) {
  // Not strftime: its names follow the process's locale.
  static constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(instant - day));
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), time.hours().count(), time.minutes().count(),
                     time.seconds().count());
}

bool is_writable(const Response& response) {
  return response.status >= 200 && response.status <= 599 &&
         std::all_of(response.headers.begin(), response.headers.end(), [](const Header& field) {
           return is_token(field.name) && is_field_value(field.value) &&
                  std::none_of(kOwnFields.begin(), kOwnFields.end(),
                               [&field](std::string_view own) { return equal_ignoring_case(own, field.name); });
         });
}

std::string format_head(const Response& response, Connection connection, std::string_view date) {
  std::string out =
      fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status, reason_phrase(response.status), date);
  for (const Header& field : response.headers) out.append(field.name).append(": ").append(field.value).append("\r\n");
  if (has_content(response.status)) out += fmt::format("Content-Length: {}\r\n", response.body.size());
  out += connection == Connection::close ? "Connection: close\r\n\r\n" : "\r\n";
  return out;
}

bool has_content(int status) { return status != 204 && status != 304; }

}  // namespace isthmus::http::detail
