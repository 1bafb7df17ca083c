#include "config/columns.hpp"

#include "config/setters.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace veer::config {

namespace {

constexpr std::array<std::string_view, 3> kinds{"auto", "none", "all"};
constexpr std::size_t columns_max = 100;
constexpr std::size_t name_bytes_max = 63;  // NAMEDATALEN of Postgres, less the terminator

}  // namespace

bool set_columns(Columns& target, const Value& value) {
    if (std::holds_alternative<std::vector<double>>(value)) {
        const bool empty = std::get<std::vector<double>>(value).empty();
        target = empty ? Columns{} : target;
        return empty;
    }
    const auto* const names = std::get_if<std::vector<std::string>>(&value);
    if (names == nullptr) {
        Columns named;
        const bool known = set_choice(named.kind, value, kinds);
        target = known ? named : target;
        return known;
    }
    const bool allowed = names->size() <= columns_max &&
                         std::all_of(names->begin(), names->end(), [](const std::string& name) {
                             return !name.empty() && name.size() <= name_bytes_max;
                         });
    if (allowed) {
        target = {Columns::Kind::automatic, *names};
    }
    return allowed;
}

Value value_of(const Columns& columns) {
    if (!columns.names.empty()) {
        return columns.names;
    }
    return std::string(kinds.at(static_cast<std::size_t>(columns.kind)));
}

}  // namespace veer::config
