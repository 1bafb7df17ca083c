#include "storage/sync/resolve.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace veer::storage::sync {

namespace {

bool is_unchanged(const VectorValue& value) {
    return std::holds_alternative<UnchangedVector>(value);
}

bool is_unchanged_value(const ColumnValue& value) {
    return std::holds_alternative<UnchangedValue>(value);
}

/// The rows as the transaction has left them so far; null for deleted ones.
class Overlay {
  public:
    explicit Overlay(const RowLookup& lookup) : lookup_{lookup} {}

    /// Nothing where the row is not known.
    Result<std::optional<Row>> row(TableOid table, const RowKey& key) const {
        const auto found = rows_.find({table, key});
        if (found != rows_.end() && found->second != nullptr) {
            return std::optional{*found->second};
        }
        if (found == rows_.end() && !truncated_.contains(table)) {
            auto before = lookup_(table, key);
            if (!before.has_value()) {
                return before.error();
            }
            if (before->has_value()) {
                return std::move(*before);
            }
        }
        return std::optional<Row>{};
    }

    /// `change` must outlive the overlay.
    void apply(const Change& change) {
        if (const auto* const upsert = std::get_if<Upsert>(&change)) {
            if (upsert->old_key.has_value()) {
                rows_[{upsert->table, *upsert->old_key}] = nullptr;
            }
            rows_[{upsert->table, upsert->row.key}] = &upsert->row;
        } else if (const auto* const removed = std::get_if<Delete>(&change)) {
            rows_[{removed->table, removed->key}] = nullptr;
        } else {
            for (const TableOid table : std::get<Truncate>(change).tables) {
                truncated_.insert(table);
                std::erase_if(rows_, [&](const auto& row) { return row.first.first == table; });
            }
        }
    }

  private:
    const RowLookup& lookup_;
    std::map<std::pair<TableOid, RowKey>, const Row*> rows_;
    std::set<TableOid> truncated_;
};

/// Returns what is wrong with the copy, or nothing.
Result<std::optional<std::string>> resolve(Upsert& upsert, const Overlay& overlay) {
    auto known = overlay.row(upsert.table, upsert.old_key.value_or(upsert.row.key));
    if (!known.has_value()) {
        return known.error();
    }
    if (!known->has_value()) {
        return std::optional<std::string>{"a row was updated that the copy does not have"};
    }
    auto& [key, vectors, values] = **known;
    if (vectors.size() != upsert.row.vectors.size() || values.size() != upsert.row.values.size()) {
        return std::optional<std::string>{"a stored row has another number of columns"};
    }
    for (std::size_t vector = 0; vector < vectors.size(); ++vector) {
        if (is_unchanged(upsert.row.vectors[vector])) {
            upsert.row.vectors[vector] = std::move(vectors[vector]);
        }
    }
    for (std::size_t value = 0; value < values.size(); ++value) {
        if (is_unchanged_value(upsert.row.values[value])) {
            upsert.row.values[value] = std::move(values[value]);
        }
    }
    return std::optional<std::string>{};
}

}  // namespace

bool has_unchanged(const Change& change) {
    const auto* const upsert = std::get_if<Upsert>(&change);
    return upsert != nullptr &&
           (std::any_of(upsert->row.vectors.begin(), upsert->row.vectors.end(), is_unchanged) ||
            std::any_of(upsert->row.values.begin(), upsert->row.values.end(), is_unchanged_value));
}

Result<Resolved> resolve_unchanged(Transaction transaction, const RowLookup& lookup) {
    Resolved resolved{std::move(transaction), {}};
    auto& changes = resolved.transaction.changes;
    if (std::none_of(changes.begin(), changes.end(), has_unchanged)) {
        return resolved;
    }
    Overlay overlay{lookup};
    for (Change& change : changes) {
        auto* const upsert = std::get_if<Upsert>(&change);
        if (upsert != nullptr && resolved.lost.contains(upsert->table)) {
            continue;
        }
        if (has_unchanged(change)) {
            auto wrong = resolve(*upsert, overlay);
            if (!wrong.has_value()) {
                return wrong.error();
            }
            if (wrong->has_value()) {
                resolved.lost.emplace(upsert->table, std::move(**wrong));
                continue;
            }
        }
        overlay.apply(change);
    }
    remove_changes(resolved.transaction, resolved.lost);
    return resolved;
}

}  // namespace veer::storage::sync
