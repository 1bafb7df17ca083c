#include "proxy/copy_facts.hpp"

#include <string>

namespace veer::proxy {

std::vector<admin::CopyFacts> copy_facts(const storage::sync::Status& status) {
    std::vector<admin::CopyFacts> copies;
    for (const storage::sync::TableStatus& table : status.tables) {
        copies.push_back(
            {.table = table.name,
             .state = std::string(to_string(table.state)),
             .rows = table.rows_done,
             .rows_expected = table.rows_estimated,
             .bytes = table.bytes_done,
             .rows_per_second = table.rows_per_second,
             .seconds_left = table.seconds_left,
             .reason = table.reason}
        );
    }
    return copies;
}

}  // namespace veer::proxy
