#include "storage/partitions.hpp"

#include "storage/table.hpp"

#include <algorithm>
#include <charconv>

namespace veer::storage {

std::string fingerprint_tree_sql(std::string_view list) {
    return std::string{
        "pg_catalog.concat('tree ', pg_catalog.encode(pg_catalog.sha256("
        "pg_catalog.convert_to("}
        .append(list)
        .append(", 'UTF8')), 'hex'))");
}

PartitionList parse_partitions(std::string_view text) {
    PartitionList list;
    while (!text.empty()) {
        const std::string_view one = text.substr(0, text.find(','));
        text.remove_prefix(one.size() == text.size() ? one.size() : one.size() + 1);
        TableOid oid;
        const auto end = std::from_chars(one.data(), one.data() + one.size(), oid.value).ptr;
        const auto read = static_cast<std::size_t>(end - one.data());
        list.emplace(oid, one.substr(std::min(one.size(), read + 1)));
    }
    return list;
}

bool has_rows(std::string_view state) {
    const std::size_t kind = state.find(' ');  // behind the file
    return kind == std::string_view::npos || state.substr(kind + 1, 1) != "p";
}

}  // namespace veer::storage
