#include "index/passes.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>
#include <utility>

namespace veer::index {

RowProbe::RowProbe(std::vector<storage::ColumnType> types) : types_(std::move(types)) {}

/// Whether there is memory for another row.
bool RowProbe::make_room() {
    if (records_ != nullptr && records_->size() < rows_max &&
        records_->text_bytes() <= text_bytes_max) {
        return true;
    }
    records_.reset();  // first: not both at once
    copied_.reset();
    try {
        records_ = std::make_unique<Records>(types_, rows_max);
    } catch (const std::bad_alloc&) {
    }
    return records_ != nullptr;
}

std::optional<Predicate> RowProbe::prepare(const Filter& filter) {
    if (records_ == nullptr && !make_room()) {
        return std::nullopt;
    }
    auto predicate = Predicate::compile(filter, *records_);
    return predicate ? std::optional(*std::move(predicate)) : std::nullopt;
}

void RowProbe::begin(std::span<const storage::ColumnValue> values) {
    values_ = values;
    copied_.reset();
}

std::optional<bool> RowProbe::passes(const Predicate& predicate) {
    if (!copied_) {
        copied_ = copy();
    }
    if (!*copied_) {
        return std::nullopt;
    }
    const Record last = types_.empty() ? 0 : static_cast<Record>(records_->size() - 1);
    std::array<std::uint64_t, Predicate::block / 64> bits{};
    predicate.evaluate(*records_, last, 1, bits.data());
    return (bits.front() & 1U) != 0;
}

/// False where it cannot be told of this row.
bool RowProbe::copy() {
    const bool whole =
        values_.size() == types_.size() &&
        std::none_of(values_.begin(), values_.end(), [](const storage::ColumnValue& value) {
            return std::holds_alternative<storage::UnchangedValue>(value);
        });
    if (!whole) {
        return false;
    }
    return make_room() && records_->set(0, values_, 1);
}

}  // namespace veer::index
