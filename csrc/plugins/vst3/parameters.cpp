#include "plugins/vst3/parameters.h"

#include <locale>
#include <sstream>

namespace pyvocsep::vst3 {

double normalized(ParamId id, int value) { return static_cast<double>(value) / kParameters[id].steps; }

int from_normalized(ParamId id, double normalized) {
  return nearest(normalized * kParameters[id].steps, kParameters[id].steps);
}

std::string text(ParamId id, int value) {
  if (id == kModel) return kModelNames[value];
  if (id == kBypass) return value ? "On" : "Off";
  if (value == 0) return "-inf";
  std::ostringstream stream;
  stream.imbue(std::locale::classic());  // the host may have set one with decimal commas
  stream.setf(std::ios::fixed);
  stream.precision(1);
  stream << plain(id, value);
  return stream.str();
}

bool from_text(ParamId id, const std::string& input, int& value) {
  if (!is_level(id)) {
    for (int i = 0; i <= kParameters[id].steps; ++i)
      if (text(id, i) == input) {
        value = i;
        return true;
      }
    return false;
  }
  if (input.compare(0, 4, "-inf") == 0) {
    value = 0;
    return true;
  }
  std::istringstream stream(input);
  stream.imbue(std::locale::classic());
  double level;
  if (!(stream >> level)) return false;
  value = from_plain(id, level);
  return true;
}

}  // namespace pyvocsep::vst3
