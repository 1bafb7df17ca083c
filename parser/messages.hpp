#pragma once

#include <functional>

struct ProtobufCMessage;

namespace veer::parser {

/// Calls `visit` for each message that hangs directly below this one of a parse tree, whatever its
/// kind: what is not known by name is seen all the same.
void for_each_child(
    const ProtobufCMessage& message, const std::function<void(const ProtobufCMessage&)>& visit
);

}  // namespace veer::parser
