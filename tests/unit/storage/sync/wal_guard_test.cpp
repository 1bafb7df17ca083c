#include "storage/sync/wal_guard.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace veer::storage::sync;
using veer::storage::source::HeldWal;

namespace {

constexpr std::uint64_t gigabyte = 1ULL << 30U;

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("Sizes are told in the unit that people read", "[storage]") {
    CHECK(size_text(0) == "0 KiB");
    CHECK(size_text(1536) == "1.5 KiB");
    CHECK(size_text(64ULL << 20U) == "64 MiB");
    CHECK(size_text(16 * gigabyte) == "16 GiB");
    CHECK(size_text(2855 * gigabyte) == "2.7 TiB");
}

TEST_CASE("Up to half of the bound nothing is said, nor without a bound", "[storage]") {
    CHECK(wal_warning("s", HeldWal{8 * gigabyte, 0}, 16 * gigabyte).empty());
    CHECK(wal_warning("s", HeldWal{1ULL << 50U, 0}, 0).empty());
}

TEST_CASE("The warning names who holds the WAL", "[storage]") {
    const std::string veer = wal_warning("s", {9 * gigabyte, 8 * gigabyte}, 16 * gigabyte);
    CHECK(contains(veer, "slot s holds back 9 GiB"));
    CHECK(contains(veer, "wal_keep_max = 16 GiB"));
    CHECK(contains(veer, "veer has not stored 8 GiB"));
    const std::string writer = wal_warning("s", {9 * gigabyte, 1024}, 16 * gigabyte);
    CHECK(contains(writer, "a transaction is open"));
}
