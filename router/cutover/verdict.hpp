#pragma once

#include <cstdint>
#include <string_view>

namespace veer::router::cutover {

/// Three, not two: "we cannot know yet" is neither good nor bad.
enum class Verdict : std::uint8_t { pass, fail, inconclusive };

constexpr std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::pass:
            return "pass";
        case Verdict::fail:
            return "fail";
        case Verdict::inconclusive:
            break;
    }
    return "inconclusive";
}

}  // namespace veer::router::cutover
