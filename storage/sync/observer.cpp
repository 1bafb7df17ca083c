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

std::string_view to_string(TableState state) {
    switch (state) {
        case TableState::waiting:
            return "waiting";
        case TableState::copying:
            return "copying";
        case TableState::building:
            return "building";
        case TableState::catching_up:
            return "catching up";
        case TableState::streaming:
            return "streaming";
        case TableState::refused:
            return "refused";
    }
    return "unknown";
}

}  // namespace veer::storage::sync
