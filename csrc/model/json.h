// The part of JSON that the header of a safetensors file uses: objects, arrays, strings and numbers.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pyvocsep {

struct Json {
  using Array = std::vector<Json>;
  using Object = std::map<std::string, Json, std::less<>>;
  std::variant<std::monostate, bool, double, std::string, Array, Object> value;

  const Object* object() const { return std::get_if<Object>(&value); }
  const Array* array() const { return std::get_if<Array>(&value); }
  const std::string* string() const { return std::get_if<std::string>(&value); }
  const double* number() const { return std::get_if<double>(&value); }

  // Throws std::invalid_argument that says what is wrong at which byte.
  static Json parse(std::string_view text);
};

}  // namespace pyvocsep
