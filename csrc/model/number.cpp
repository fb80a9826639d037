#include "model/number.h"

#include <locale>
#include <sstream>
#include <string>

namespace pyvocsep {

namespace {

bool is_number(std::string_view text) {
  size_t at = 0;
  const auto skip = [&](std::string_view any) {
    const bool found = at < text.size() && any.find(text[at]) != std::string_view::npos;
    at += found;
    return found;
  };
  const auto digits = [&] {
    const size_t first = at;
    while (skip("0123456789")) continue;
    return at - first;
  };
  skip("-");
  const size_t first = at, whole = digits();
  if (whole == 0 || (whole > 1 && text[first] == '0')) return false;
  if (skip(".") && digits() == 0) return false;
  if (skip("eE")) {
    skip("+-");
    if (digits() == 0) return false;
  }
  return at == text.size();
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  if (!is_number(text)) return {};
  std::istringstream stream{std::string(text)};
  stream.exceptions(std::ios::badbit);  // of memory that is not there, which the stream would keep to itself
  stream.imbue(std::locale::classic());
  double number = 0;
  if (!(stream >> number)) return {};
  return number;
}

}  // namespace pyvocsep
