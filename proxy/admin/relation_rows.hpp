#pragma once

#include "proxy/admin/snapshot.hpp"
#include "proxy/admin/value.hpp"

#include <vector>

/// The rows of each relation, in its columns' order (relation.cpp).
namespace veer::proxy::admin::rows {

std::vector<Row> routes(const Snapshot& snapshot);
std::vector<Row> reasons(const Snapshot& snapshot);
std::vector<Row> indexes(const Snapshot& snapshot);
std::vector<Row> replication(const Snapshot& snapshot);
std::vector<Row> copies(const Snapshot& snapshot);
std::vector<Row> verification(const Snapshot& snapshot);
std::vector<Row> golden(const Snapshot& snapshot);
std::vector<Row> clients(const Snapshot& snapshot);
std::vector<Row> servers(const Snapshot& snapshot);
std::vector<Row> pools(const Snapshot& snapshot);
std::vector<Row> hosts(const Snapshot& snapshot);
std::vector<Row> lists(const Snapshot& snapshot);
std::vector<Row> stats(const Snapshot& snapshot);
std::vector<Row> memory(const Snapshot& snapshot);
std::vector<Row> config(const Snapshot& snapshot);
std::vector<Row> version(const Snapshot& snapshot);
std::vector<Row> tables(const Snapshot& snapshot);
std::vector<Row> help(const Snapshot& snapshot);

// traffic_rows.cpp
std::vector<Row> gates(const Snapshot& snapshot);
std::vector<Row> guards(const Snapshot& snapshot);
std::vector<Row> rules(const Snapshot& snapshot);
std::vector<Row> audit(const Snapshot& snapshot);
std::vector<Row> plan(const Snapshot& snapshot);
std::vector<Row> queries(const Snapshot& snapshot);
std::vector<Row> compare(const Snapshot& snapshot);
std::vector<Row> recall(const Snapshot& snapshot);
std::vector<Row> latency(const Snapshot& snapshot);
std::vector<Row> mismatches(const Snapshot& snapshot);
std::vector<Row> receipts(const Snapshot& snapshot);
std::vector<Row> ignored(const Snapshot& snapshot);

}  // namespace veer::proxy::admin::rows
