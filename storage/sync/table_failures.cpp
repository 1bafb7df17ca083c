#include "storage/sync/table_failures.hpp"

#include <variant>

namespace veer::storage::sync {

void remove_changes(Transaction& transaction, const TableFailures& failures) {
    if (failures.empty()) {
        return;
    }
    std::erase_if(transaction.changes, [&](Change& change) {
        if (const auto* const upsert = std::get_if<Upsert>(&change)) {
            return failures.contains(upsert->table);
        }
        if (const auto* const removed = std::get_if<Delete>(&change)) {
            return failures.contains(removed->table);
        }
        auto& tables = std::get<Truncate>(change).tables;
        std::erase_if(tables, [&](TableOid table) { return failures.contains(table); });
        return tables.empty();
    });
}

}  // namespace veer::storage::sync
