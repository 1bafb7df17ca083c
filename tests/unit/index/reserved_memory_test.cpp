#include "index/reserved_memory.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <filesystem>
#include <new>
#include <string>

using namespace veer::index;

namespace {

constexpr std::size_t megabyte = std::size_t{1} << 20;

}  // namespace

TEST_CASE("Reserved memory grows without moving and begins as zero", "[index]") {
    const std::string files = std::filesystem::temp_directory_path().string();
    const auto file =
        GENERATE_COPY(VectorFile{}, VectorFile{files}, VectorFile{files, 2 * megabyte});
    ReservedMemory memory{64 * megabyte, file};
    const std::byte* const data = memory.data();
    std::size_t filled = 0;
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{5000}, megabyte, 20 * megabyte}) {
        REQUIRE(memory.grow(bytes));
        REQUIRE(memory.usable_bytes() >= bytes);
        CHECK(memory.data() == data);
        CHECK(std::all_of(data, data + filled, [](std::byte b) { return b == std::byte{7}; }));
        CHECK(std::all_of(data + filled, data + bytes, [](std::byte b) {
            return b == std::byte{0};
        }));
        std::fill(memory.data() + filled, memory.data() + bytes, std::byte{7});
        filled = bytes;
    }
    const FileBytes in_file = memory.in_file(filled);
    CHECK(in_file.stored == (file.used() ? filled - file.memory_first : 0));
    CHECK(in_file.cached <= in_file.stored);
    CHECK((in_file.cached > 0) == file.used());  // it has just been written
    CHECK(memory.in_file(file.memory_first).stored == 0);
}

TEST_CASE("Reserved memory refuses more than was reserved and keeps what it has", "[index]") {
    ReservedMemory memory{3 * megabyte};
    REQUIRE(memory.grow(megabyte));
    CHECK_FALSE(memory.grow(memory.reserved_bytes() + 1));
    CHECK(memory.usable_bytes() >= megabyte);
    CHECK(memory.grow(memory.reserved_bytes()));
}

TEST_CASE("A file of reserved memory has no name, and has to be possible", "[index]") {
    const std::filesystem::path directory =
        std::filesystem::temp_directory_path() / "veer-reserved-memory";
    CHECK_THROWS_AS((ReservedMemory{megabyte, VectorFile{directory / "missing"}}), std::bad_alloc);
    std::filesystem::create_directories(directory);
    {
        ReservedMemory memory{8 * megabyte, VectorFile{directory}};
        REQUIRE(memory.grow(megabyte));
        memory.data()[megabyte - 1] = std::byte{1};
        CHECK(std::filesystem::is_empty(directory));
        CHECK_FALSE(memory.grow(memory.reserved_bytes() + 1));
    }
    std::filesystem::remove_all(directory);
}

TEST_CASE("A file of vectors is not for file systems that are memory, or not known", "[index]") {
    CHECK_FALSE(suits_vectors("/missing"));
    CHECK_FALSE(suits_vectors("/dev/shm"));  // tmpfs on every Linux
    CHECK_FALSE(suits_vectors("/proc"));
}
