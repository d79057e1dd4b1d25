#include <array>
#include <cctype>

#include "policy/detail/detectors.h"
#include "policy/detail/digits.h"

namespace isthmus::policy::detail {

namespace {

/// Issuer ranges by their first four digits and the lengths in use (ISO/IEC 7812-1; the networks' published BIN ranges,
/// 2026-11).
struct Issuer {
  int first;  ///< of the first four digits
  int last;
  int digits_min;
  int digits_max;
};
constexpr std::array<Issuer, 17> kIssuers = {{
    {4000, 4999, 13, 19},  // Visa
    {5100, 5599, 16, 16},  // Mastercard
    {2221, 2720, 16, 16},  // Mastercard, second range
    {3400, 3499, 15, 15},  // American Express
    {3700, 3799, 15, 15},  // American Express
    {3000, 3059, 14, 19},  // Diners Club
    {3095, 3095, 14, 19},  // Diners Club
    {3600, 3699, 14, 19},  // Diners Club
    {3800, 3999, 14, 19},  // Diners Club
    {3528, 3589, 16, 19},  // JCB
    {6011, 6011, 16, 19},  // Discover
    {6440, 6599, 16, 19},  // Discover
    {6200, 6299, 16, 19},  // UnionPay
    {5000, 5099, 16, 19},  // Maestro
    {5600, 5899, 16, 19},  // Maestro
    {6304, 6304, 12, 19},  // Maestro
    {6759, 6763, 12, 19},  // Maestro
}};
constexpr std::size_t kDigitsMax = 19;

bool is_digit(const Sign& sign) { return std::isdigit(static_cast<unsigned char>(sign.value)) != 0; }

bool luhn(std::span<const Sign> digits) {
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    int digit = digits[digits.size() - 1 - i].value - '0';
    if (i % 2 == 1) {
      digit *= 2;
      if (digit > 9) digit -= 9;
    }
    sum += digit;
  }
  return sum % 10 == 0;
}

bool is_issued(std::span<const Sign> digits) {
  int first_four = 0;
  for (std::size_t i = 0; i < 4; ++i) first_four = first_four * 10 + (digits[i].value - '0');
  const int count = static_cast<int>(digits.size());
  for (const Issuer& issuer : kIssuers) {
    if (first_four >= issuer.first && first_four <= issuer.last && count >= issuer.digits_min &&
        count <= issuer.digits_max)
      return true;
  }
  return false;
}

/// A number may begin where no digit touches it from the left.
bool may_begin(std::span<const Sign> signs, std::size_t at) {
  return is_digit(signs[at]) && (at == 0 || signs[at].opens || signs[at].starts_number || !is_digit(signs[at - 1]));
}

bool may_end(std::span<const Sign> signs, std::size_t after) {
  return after == signs.size() || signs[after].opens || signs[after].starts_number || !is_digit(signs[after]);
}

}  // namespace

std::optional<Span> find_card_number(std::string_view text) {
  const std::vector<Sign> signs = read_signs(text);
  for (std::size_t begin = 0; begin < signs.size(); ++begin) {
    if (!may_begin(signs, begin)) continue;
    std::size_t end = begin;
    while (end < signs.size() && end - begin < kDigitsMax && is_digit(signs[end]) &&
           (end == begin || !signs[end].starts_number))
      ++end;
    for (std::size_t count = end - begin; count >= 12; --count) {  // the longest first
      const std::span<const Sign> digits(signs.data() + begin, count);
      if (may_end(signs, begin + count) && is_issued(digits) && luhn(digits))
        return Span{digits.front().begin, digits.back().end};
    }
  }
  return std::nullopt;
}

std::optional<Span> find_french_nir(std::string_view text) {
  constexpr std::size_t kSigns = 15;
  const std::vector<Sign> signs = read_signs(text);
  for (std::size_t begin = 0; begin + kSigns <= signs.size(); ++begin) {
    if (!signs[begin].opens && !signs[begin].starts_number) continue;
    if (signs[begin].value != '1' && signs[begin].value != '2') continue;
    if (begin + kSigns < signs.size() && !signs[begin + kSigns].opens && !signs[begin + kSigns].starts_number) continue;
    std::int64_t number = 0;
    std::int64_t correction = 0;
    bool whole = true;
    for (std::size_t i = 0; i < 13 && whole; ++i) {
      char value = signs[begin + i].value;
      if (i == 6 && signs[begin + 5].value == '2' && (value == 'A' || value == 'B')) {
        correction = value == 'A' ? 1'000'000 : 2'000'000;
        value = '0';
      }
      whole = value >= '0' && value <= '9' && (i == 0 || !signs[begin + i].starts_number);
      number = number * 10 + (value - '0');
    }
    const Sign& tens = signs[begin + 13];
    const Sign& ones = signs[begin + 14];
    if (!whole || !is_digit(tens) || !is_digit(ones) || tens.starts_number || ones.starts_number) continue;
    const std::int64_t key = (tens.value - '0') * 10 + (ones.value - '0');
    const int month = (signs[begin + 3].value - '0') * 10 + (signs[begin + 4].value - '0');
    const bool month_is_one =
        (month >= 1 && month <= 12) || (month >= 20 && month <= 42) || month >= 50;  // INSEE: 20+ when unknown
    if (month_is_one && key == 97 - (number - correction) % 97) return Span{signs[begin].begin, ones.end};
  }
  return std::nullopt;
}

}  // namespace isthmus::policy::detail
