#include "tests/fuzz/dialogue.hpp"
#include "tests/fuzz/require.hpp"

/// A hostile client and a hostile server, interleaved as the input says: no crash, nothing grows
/// beyond what was sent, and the pieces in which bytes arrive make no difference.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace veer::fuzz;
    const Script script = read_script(as_text(data, size));
    Dialogue whole;
    Dialogue pieces;
    for (const Step& step : script) {
        const Said at_once = whole.play(step);
        require(at_once == pieces.play_bytewise(step));
        require(whole.within_bounds() && pieces.within_bounds());
        if (at_once.close) {
            break;
        }
    }
    return 0;
}
