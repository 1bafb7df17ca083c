#pragma once

#include "tests/sim/random_client.hpp"

#include <string>
#include <vector>

namespace veer::sim {

/// What became of a conversation through veer, compared with the same at the server itself.
struct Played {
    std::string problem;   ///< empty where the client could not tell
    bool cut_off = false;  ///< the server would have ended it: no fair game
    std::size_t facts_asked = 0;
    std::size_t local = 0;
    std::size_t rewritten = 0;
};

/// How bytes and events come: whole messages at once, single bytes, or pieces of any length with
/// everything else that can happen in between.
enum class Pace : unsigned char { at_once, bytewise, any };

/// Plays a conversation through a session in front of the model server. `seed` decides on the
/// order of events, on notices and the like from the server, and on how bytes are cut.
Played play(const std::vector<ClientMessage>& conversation, Pace pace, unsigned seed);

/// The shortest conversation found by leaving messages out that still has a problem, and which.
std::vector<ClientMessage> shrink(
    std::vector<ClientMessage> conversation, Pace pace, unsigned seed, std::string& problem
);

}  // namespace veer::sim
