#include "storage/store/transaction_files.hpp"

#include "storage/store/commit_record.hpp"
#include "storage/store/store.hpp"
#include "tests/unit/storage/sample_table.hpp"

#include <catch2/catch_test_macros.hpp>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace veer::storage;
using namespace veer::storage::store;
using veer::tests::floats;
using veer::tests::key_of;
using veer::tests::row_of;

namespace {

namespace fs = std::filesystem;

class Directory {
  public:
    Directory() : path_{fs::temp_directory_path() / ("veer_files_" + std::to_string(getpid()))} {
        fs::remove_all(path_);
        fs::create_directory(path_);
    }

    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    ~Directory() { fs::remove_all(path_); }

    std::string transactions() const { return (path_ / "transactions").string(); }

    fs::path of(std::uint32_t xid) const { return path_ / "transactions" / std::to_string(xid); }

  private:
    fs::path path_;
};

Change change_of(std::uint32_t number) {
    switch (number % 4) {
        case 0:
            return Delete{{100}, key_of(number)};
        case 1:
            return Truncate{{{200}}};
        case 2:
            return Upsert{{100}, key_of(1), row_of(number, UnchangedVector{}, NullVector{})};
        default:
            return Upsert{{200}, std::nullopt, row_of(number, floats({1, 2}), floats({3}))};
    }
}

/// A value that makes files full soon.
Change long_change(std::uint32_t number) {
    return Upsert{
        {100}, std::nullopt, row_of(number, floats(std::vector<float>(16'000)), NullVector{})};
}

constexpr std::uint32_t long_count = 1'100;  // in two files

std::vector<fs::path> files_of(const fs::path& directory) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator{directory}) {
        files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

std::vector<SpilledChange> read_all(TransactionReader reader) {
    std::vector<SpilledChange> all;
    for (auto page = reader.next().value(); !page.empty(); page = reader.next().value()) {
        CHECK(page.size() <= 1'000);
        std::move(page.begin(), page.end(), std::back_inserter(all));
    }
    return all;
}

}  // namespace

TEST_CASE("Changes of a transaction are read as they were added, from any place on", "[storage]") {
    const Directory directory;
    const auto files = TransactionFiles::create(directory.transactions(), 7).value();
    const std::uint32_t count = 2'500;
    for (std::uint32_t number = 0; number < count; ++number) {
        files->add(number / 100, change_of(number)).value();
    }
    CHECK(files->count() == count);
    CHECK(files->bytes() > 10'000);
    files->seal().value();
    for (const std::uint32_t from : {0U, 1U, 999U, 1'000U, count - 1, count}) {
        const auto read = read_all({directory.transactions(), 7, from});
        REQUIRE(read.size() == count - from);
        for (std::uint32_t number = from; number < count; ++number) {
            const SpilledChange& one = read[number - from];
            REQUIRE(one.place == number);
            REQUIRE(one.subxid == number / 100);
            REQUIRE(one.change == change_of(number));
        }
    }
}

TEST_CASE("A transaction of several files goes on from one to the next", "[storage]") {
    const Directory directory;
    const auto files = TransactionFiles::create(directory.transactions(), 7).value();
    for (std::uint32_t number = 0; number < long_count; ++number) {
        files->add(7, long_change(number)).value();
    }
    files->seal().value();
    const auto names = files_of(directory.of(7));
    REQUIRE(names.size() == 2);
    const auto second = static_cast<std::uint32_t>(std::stoul(names[1].stem().string()));
    for (const std::uint32_t from : {0U, second - 1, second, second + 1, long_count - 1}) {
        const auto read = read_all({directory.transactions(), 7, from});
        REQUIRE(read.size() == long_count - from);
        CHECK(read.front().change == long_change(from));
        CHECK(read.back().change == long_change(long_count - 1));
    }
}

TEST_CASE("Files go when all of them has been used", "[storage]") {
    const Directory directory;
    const auto files = TransactionFiles::create(directory.transactions(), 7).value();
    for (std::uint32_t number = 0; number < long_count; ++number) {
        files->add(7, long_change(number)).value();
    }
    files->seal().value();
    TransactionReader reader{directory.transactions(), 7, 0};
    std::uint32_t next = 0;
    while (!reader.has_passed_files()) {
        reader.remove_passed_files();
        CHECK(files_of(directory.of(7)).size() == 2);
        next = reader.next().value().back().place + 1;
    }
    reader.remove_passed_files();
    CHECK_FALSE(reader.has_passed_files());
    const auto left = files_of(directory.of(7));
    REQUIRE(left.size() == 1);
    CHECK(std::stoul(left[0].stem().string()) <= next);
    CHECK(read_all({directory.transactions(), 7, next}).size() == long_count - next);
    CHECK(read_all(std::move(reader)).size() == long_count - next);
}

TEST_CASE("A transaction takes no more than it leaves free", "[storage]") {
    const Directory directory;
    std::uint64_t free = 0;
    const auto files = TransactionFiles::create(
                           directory.transactions(), 7, [&](const std::string&) { return free; }
    ).value();
    std::uint32_t number = 0;
    Result<void> added = files->add(7, long_change(0));
    for (; added.has_value(); ++number) {
        added = files->add(7, long_change(number));
    }
    CHECK(added.error().code == Errc::disk);
    CHECK(files_of(directory.of(7)).size() == 1);
    free = files->bytes();
    CHECK(files->add(7, long_change(0)).has_value());
    CHECK(files_of(directory.of(7)).size() == 2);
}

TEST_CASE("Only what is sealed stays, and a new one has nothing of the old", "[storage]") {
    const Directory directory;
    {
        const auto files = TransactionFiles::create(directory.transactions(), 7).value();
        files->add(7, change_of(0)).value();
    }
    CHECK_FALSE(fs::exists(directory.of(7)));
    {
        const auto files = TransactionFiles::create(directory.transactions(), 7).value();
        files->add(7, change_of(0)).value();
        files->seal().value();
    }
    CHECK(fs::exists(directory.of(7)));
    const auto files = TransactionFiles::create(directory.transactions(), 7).value();
    files->add(7, change_of(4)).value();
    files->seal().value();
    CHECK(read_all({directory.transactions(), 7, 0}).size() == 1);
    TransactionFiles::remove(directory.transactions(), 7);
    CHECK_FALSE(fs::exists(directory.of(7)));
}

TEST_CASE("Files that are damaged or missing are an error, never other changes", "[storage]") {
    const Directory directory;
    const auto files = TransactionFiles::create(directory.transactions(), 7).value();
    for (std::uint32_t number = 0; number < long_count; ++number) {
        files->add(7, long_change(number)).value();
    }
    files->seal().value();
    const auto names = files_of(directory.of(7));
    TransactionReader reader{directory.transactions(), 7, 0};
    const auto error = [&] {
        auto page = reader.next();
        while (page.has_value() && !page->empty()) {
            page = reader.next();
        }
        REQUIRE(page.has_error());
        return page.error().code;
    };
    SECTION("the first is missing") {
        fs::remove(names[0]);
        CHECK(error() == Errc::gone);
    }
    SECTION("one is cut") {
        fs::resize_file(names[1], fs::file_size(names[1]) / 2);
        CHECK(error() == Errc::gone);
    }
    SECTION("a byte is another one") {
        std::fstream file{names[0], std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(1'000'000);
        file.put('x');
        file.close();
        CHECK(error() == Errc::gone);
    }
    SECTION("one is there, and cannot be read") {
        fs::remove(names[1]);
        fs::create_directory(names[1]);
        CHECK(error() == Errc::disk);
    }
    SECTION("there are none") {
        TransactionFiles::sweep(directory.transactions());
        CHECK(error() == Errc::gone);
    }
}

TEST_CASE("The record of a commit is read as it was written, and refused when cut", "[storage]") {
    CommitRecord record{
        7,
        {0x10},
        {0x20},
        {3, {{0x10}, 5, 7}, {0x8}},
        {8, 9, 1'000},
        {{{100}, 5}, {{200}, 6}},
        {},
        44};
    CHECK(decode_commit(encode_commit(record)) == record);
    record.joining = TableOid{300};
    const std::string bytes = encode_commit(record);
    CHECK(decode_commit(bytes) == record);
    CHECK_FALSE(decode_commit(bytes + "x").has_value());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CHECK_FALSE(decode_commit(bytes.substr(0, size)).has_value());
    }
    CHECK(decode_place(encode_place(5)) == 5);
    CHECK_FALSE(decode_place("abc").has_value());
}
