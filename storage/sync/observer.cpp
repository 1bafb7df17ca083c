#include "storage/sync/observer.hpp"

namespace veer::storage::sync {

std::string_view to_string(Phase phase) {
    switch (phase) {
        case Phase::waiting:
            return "waiting";
        case Phase::copying:
            return "copying";
        case Phase::loading:
            return "loading";
        case Phase::streaming:
            return "streaming";
    }
    return "unknown";
}

}  // namespace veer::storage::sync
