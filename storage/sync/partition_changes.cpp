#include "storage/sync/partition_changes.hpp"

#include <algorithm>

namespace veer::storage::sync {

namespace {

/// In what order does not matter: the worst of them is what becomes of the table.
PartitionChange worse(PartitionChange one, PartitionChange other) {
    return std::max(one, other);
}

PartitionChange came(TableOid partition, const std::string& state, const PartitionFacts& facts) {
    if (!has_rows(state)) {
        return facts.position < facts.looked ? PartitionChange::early : PartitionChange::followed;
    }
    const auto found = facts.empty.find(partition);
    if (found == facts.empty.end() || found->second.state != state) {
        return PartitionChange::lost;
    }
    return facts.position < std::max(found->second.since, facts.looked) ? PartitionChange::early
                                                                        : PartitionChange::followed;
}

PartitionChange went(TableOid partition, const std::string& state, const PartitionFacts& facts) {
    if (has_rows(state) && !facts.fresh.contains(partition)) {
        return PartitionChange::lost;
    }
    return facts.position < facts.looked ? PartitionChange::early : PartitionChange::followed;
}

}  // namespace

std::set<TableOid> came_since(const PartitionList& before, const PartitionList& now) {
    std::set<TableOid> came;
    for (const auto& [partition, state] : now) {
        if (!before.contains(partition)) {
            came.insert(partition);
        }
    }
    return came;
}

PartitionChange judge_partitions(
    const PartitionList& before, const PartitionList& now, const PartitionFacts& facts
) {
    PartitionChange change = PartitionChange::none;
    for (const auto& [partition, state] : now) {
        const auto known = before.find(partition);
        if (known == before.end()) {
            change = worse(change, came(partition, state, facts));
        } else if (known->second != state) {
            return PartitionChange::lost;
        }
    }
    for (const auto& [partition, state] : before) {
        if (!now.contains(partition)) {
            change = worse(change, went(partition, state, facts));
        }
    }
    return change;
}

}  // namespace veer::storage::sync
