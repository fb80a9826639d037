// Numbers from text, the same whatever the locale of the process. (std::from_chars would be, too, but Apple's C++
// library has it for whole numbers only.)
#pragma once

#include <optional>
#include <string_view>

namespace pyvocsep {

// The number that all of `text` is, in JSON's grammar: decimal, without leading zeros, a bare point, a plus sign or
// spaces, never an infinity. Nothing if it is none, or too large for a double.
std::optional<double> parse_number(std::string_view text);

}  // namespace pyvocsep
