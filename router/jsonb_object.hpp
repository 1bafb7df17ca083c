#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::router {

/// One member of a flat JSON object.
struct JsonbScalar {
    std::string name;
    std::string value;  ///< as jsonb writes it: "\"a\"", "1.5", "true", "null"

    friend bool operator==(const JsonbScalar&, const JsonbScalar&) = default;
};

/// The members of `{"a": 1, "b": "x"}`, whose values are scalars. Nothing where the text is
/// anything else, where Postgres might raise an error, and where it takes more than a look to tell
/// what jsonb makes of it: names that come twice, \u, exponents, a zero with a sign, long numbers.
std::optional<std::vector<JsonbScalar>> flat_jsonb_object(std::string_view text);

}  // namespace veer::router
