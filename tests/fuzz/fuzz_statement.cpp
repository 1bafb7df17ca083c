#include "parser/normalise.hpp"
#include "parser/recognise.hpp"
#include "tests/fuzz/require.hpp"

#include <string>
#include <variant>

/// Any bytes: cutting is undone by its own positions, a recognised statement can take a condition.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace veer::parser;
    using veer::fuzz::require;
    const std::string_view sql = veer::fuzz::as_text(data, size);
    const NormalisedStatement statement = normalise(sql);
    std::string restored;
    std::size_t at = 0;
    for (const NormalisedStatement::Cut& cut : statement.cuts) {
        restored.append(statement.text, at, cut.normalised_begin - at);
        restored.append(sql, cut.original_begin, cut.original_end - cut.original_begin);
        at = cut.normalised_end;
    }
    require(restored.append(statement.text, at) == sql);
    const Recognition recognition = recognise(statement.text);
    if (const auto* query = std::get_if<NearestNeighbourQuery>(&recognition)) {
        const Recognition again = recognise(add_condition(statement.text, query->clauses, "true"));
        const auto* filtered = std::get_if<NearestNeighbourQuery>(&again);
        require(
            filtered != nullptr ? filtered->clauses.condition.has_value()
                                : again == Recognition(Refusal::too_long)
        );
    }
    return 0;
}
