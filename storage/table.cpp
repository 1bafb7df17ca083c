#include "storage/table.hpp"

namespace veer::storage {

bool Table::same_shape(const Table& other) const {
    return oid == other.oid && schema == other.schema && name == other.name &&
           columns == other.columns && key == other.key && vectors == other.vectors &&
           indexes == other.indexes && fingerprint == other.fingerprint;
}

}  // namespace veer::storage
