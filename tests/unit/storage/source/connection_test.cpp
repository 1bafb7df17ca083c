#include "storage/source/connection.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace veer::storage::source;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("A session of veer's has no time limits, as far as its server knows them", "[storage]") {
    for (const char* const setting :
         {"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"}) {
        CHECK_THAT(session_settings(130'000), ContainsSubstring(std::string{setting} + " = 0"));
    }
    CHECK_THAT(session_settings(130'022), !ContainsSubstring("idle_session_timeout = 0"));
    CHECK_THAT(session_settings(140'000), ContainsSubstring("; SET idle_session_timeout = 0"));
    CHECK_THAT(session_settings(160'009), !ContainsSubstring("transaction_timeout = 0"));
    CHECK_THAT(session_settings(170'000), ContainsSubstring("; SET transaction_timeout = 0"));
}
