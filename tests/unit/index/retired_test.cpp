#include "index/retired.hpp"

#include <catch2/catch_test_macros.hpp>

#include <future>
#include <memory>
#include <thread>

using namespace veer::index;

namespace {

/// Tells in which thread it is freed.
std::shared_ptr<const int> telling(std::promise<std::thread::id>& where) {
    return {new int{1}, [&where](const int* number) {
                delete number;
                where.set_value(std::this_thread::get_id());
            }};
}

}  // namespace

TEST_CASE("What nobody uses is freed by whoever retires it", "[index]") {
    std::promise<std::thread::id> where;
    Retirement retirement;
    {
        Retiring retiring{retirement};
        const auto held = telling(where);
        retiring.all.emplace_back(held);
    }
    CHECK(where.get_future().get() == std::this_thread::get_id());
}

TEST_CASE("What somebody still uses is not freed by whoever lets go of it last", "[index]") {
    std::promise<std::thread::id> where;
    auto freed = where.get_future();
    Retirement retirement;
    auto used = telling(where);
    {
        Retiring retiring{retirement};
        retiring.all.emplace_back(used);
    }
    CHECK(freed.wait_for(std::chrono::seconds{0}) == std::future_status::timeout);
    used.reset();
    CHECK(freed.get() != std::this_thread::get_id());
}

TEST_CASE("A sweep says whether something is left", "[index]") {
    Retired retired;
    CHECK_FALSE(retired.sweep());
    auto used = std::make_shared<const int>(1);
    const std::weak_ptr<const int> there = used;
    retired.add(used);
    CHECK(retired.sweep());
    used.reset();
    CHECK_FALSE(there.expired());
    CHECK_FALSE(retired.sweep());
    CHECK(there.expired());
}
