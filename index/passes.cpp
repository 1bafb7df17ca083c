#include "index/passes.hpp"

#include "index/predicate.hpp"
#include "index/records.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>

namespace veer::index {

std::optional<bool> passes(
    const Filter& filter,
    std::span<const storage::ColumnType> types,
    std::span<const storage::ColumnValue> values
) {
    const bool whole =
        values.size() == types.size() &&
        std::none_of(values.begin(), values.end(), [](const storage::ColumnValue& value) {
            return std::holds_alternative<storage::UnchangedValue>(value);
        });
    if (!whole) {
        return std::nullopt;
    }
    try {
        Records records(types, 1);
        const auto predicate = Predicate::compile(filter, records);
        if (!predicate || !records.set(0, values, 1)) {
            return std::nullopt;
        }
        std::array<std::uint64_t, Predicate::block / 64> bits{};
        predicate->evaluate(records, 0, 1, bits.data());
        return (bits.front() & 1U) != 0;
    } catch (const std::exception&) {  // no memory
        return std::nullopt;
    }
}

}  // namespace veer::index
