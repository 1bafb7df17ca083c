#pragma once

#include <filesystem>

namespace veer::tests {

/// Takes every tenth document out of the store of a veer that has stopped, and puts points into it
/// that nobody has: its index will lack neighbours, and find others that are not there.
void break_copy(const std::filesystem::path& directory);

}  // namespace veer::tests
