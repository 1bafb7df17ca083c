#include "router/float_text.hpp"

#include <catch2/catch_test_macros.hpp>

#include <limits>

namespace veer::router {

// Right column: what PostgreSQL 15 prints.
TEST_CASE("float8_text writes as Postgres does", "[router]") {
    CHECK(float8_text(0) == "0");
    CHECK(float8_text(-0.0) == "-0");
    CHECK(float8_text(1) == "1");
    CHECK(float8_text(-2.5) == "-2.5");
    CHECK(float8_text(100) == "100");
    CHECK(float8_text(0.0001) == "0.0001");
    CHECK(float8_text(0.00001) == "1e-05");
    CHECK(float8_text(1.25e-7) == "1.25e-07");
    CHECK(float8_text(123456789012345) == "123456789012345");
    CHECK(float8_text(1e15) == "1e+15");
    CHECK(float8_text(1.5e300) == "1.5e+300");
    CHECK(float8_text(0.07417990022744858) == "0.07417990022744858");
    CHECK(float8_text(5e-324) == "5e-324");
    CHECK(float8_text(std::numeric_limits<double>::infinity()) == "Infinity");
    CHECK(float8_text(-std::numeric_limits<double>::infinity()) == "-Infinity");
    CHECK(float8_text(std::numeric_limits<double>::quiet_NaN()) == "NaN");
}

}  // namespace veer::router
