#include "index/records.hpp"

#include <algorithm>
#include <numeric>

namespace veer::index {

namespace {

constexpr std::size_t room_min = 1024;

/// What bytes_per_slot counts twice beyond the columns.
constexpr std::size_t head_bytes = 16;

/// Texts take so much of the budget at a time.
constexpr std::size_t text_bytes_taken = 64U << 10U;

std::uint64_t taken_for_texts(std::uint64_t bytes) {
    return (bytes + text_bytes_taken - 1) / text_bytes_taken * text_bytes_taken;
}

}  // namespace

Records::Records(
    std::span<const storage::ColumnType> types,
    std::size_t records_max,
    std::shared_ptr<MemoryBudget> budget
)
    : texts_{std::move(budget)},
      heads_{types.empty() ? 0 : records_max * sizeof(Head)},
      newest_{types.empty() ? 0 : records_max * sizeof(Record)} {
    for (const storage::ColumnType type : types) {
        columns_.push_back(std::make_unique<ValueColumn>(type, records_max));
    }
}

std::size_t Records::records_max(std::span<const storage::ColumnType> types) {
    return std::min<std::size_t>(machine_memory_bytes() / (bytes_per_slot(types) / 2 + 1), no_slot);
}

std::size_t Records::bytes_per_slot(std::span<const storage::ColumnType> types) {
    std::size_t bytes = types.empty() ? 0 : head_bytes;
    for (const storage::ColumnType type : types) {
        bytes += ValueColumn::bytes_per_record(type);
    }
    return 2 * bytes + (types.empty() ? 0 : sizeof(Record));
}

/// A record that no reader knows.
std::optional<Record> Records::begin(Slot slot, Sequence birth) {
    const std::size_t bytes = (std::size_t{slot} + 1) * sizeof(Record);
    if (bytes > newest_.usable_bytes() &&
        !newest_.grow(std::max(bytes, 2 * newest_.usable_bytes())) && !newest_.grow(bytes)) {
        return std::nullopt;
    }
    newest_bytes_.store(newest_.usable_bytes(), std::memory_order_release);
    if (size_ == room_) {
        const std::size_t room = std::max(2 * room_, room_min);
        const bool grown = heads_.grow(room * sizeof(Head)) &&
                           std::all_of(columns_.begin(), columns_.end(), [&](const auto& column) {
                               return column->reserve(room);
                           });
        if (!grown) {
            return std::nullopt;
        }
        room_ = room;
    }
    new (heads_.data() + size_ * sizeof(Head)) Head{birth, newest(slot), slot};
    return static_cast<Record>(size_);
}

void Records::finish(Slot slot, Record record) {
    size_ = std::size_t{record} + 1;
    newest_at(slot)->store(record + 1, std::memory_order_release);
}

bool Records::set(Slot slot, std::span<const storage::ColumnValue> values, Sequence birth) {
    if (columns_.empty()) {
        return true;
    }
    const std::optional<Record> record = begin(slot, birth);
    if (!record) {
        return false;
    }
    for (std::size_t column = 0; column < columns_.size(); ++column) {
        const bool set = column < values.size()
                             ? columns_[column]->set(*record, values[column])
                             : columns_[column]->set(*record, storage::NullValue{});
        if (!set) {
            return false;
        }
    }
    if (!make_room_for_texts(text_bytes())) {
        return false;
    }
    finish(slot, *record);
    return true;
}

bool Records::make_room_for_texts(std::uint64_t bytes) {
    return texts_.grow_to(taken_for_texts(bytes));
}

std::size_t Records::text_bytes(Record record) const {
    std::size_t bytes = 0;
    for (const auto& column : columns_) {
        const bool varies = storage::send_bytes(column->type()) == 0;
        bytes += varies && !column->is_null(record)
                     ? sizeof(std::uint32_t) + column->bytes(record).size()
                     : 0;
    }
    return bytes;
}

bool Records::take(Slot slot, const Records& from, Record record, Sequence birth) {
    std::vector<storage::ColumnValue> values;
    for (const auto& column : from.columns_) {
        auto value = column->send(record);
        values.push_back(
            value ? storage::ColumnValue{std::move(*value)}
                  : storage::ColumnValue{storage::NullValue{}}
        );
    }
    return set(slot, values, birth);
}

std::size_t Records::text_bytes() const {
    return std::accumulate(
        columns_.begin(),
        columns_.end(),
        std::size_t{0},
        [](std::size_t bytes, const auto& column) { return bytes + column->text_bytes(); }
    );
}

bool Records::holds(Slot slot, std::span<const storage::ColumnValue> values) const {
    if (columns_.empty()) {
        return true;
    }
    const Record record = newest(slot);
    if (record == no_record) {
        return false;
    }
    for (std::size_t column = 0; column < columns_.size(); ++column) {
        const std::optional<std::string> mine = columns_[column]->send(record);
        const auto* const other =
            column < values.size() ? std::get_if<std::string>(&values[column]) : nullptr;
        if (mine.has_value() != (other != nullptr) || (other != nullptr && *mine != *other)) {
            return false;
        }
    }
    return true;
}

}  // namespace veer::index
