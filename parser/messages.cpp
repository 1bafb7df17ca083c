#include "parser/messages.hpp"

#include <protobuf-c/protobuf-c.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace veer::parser {
namespace {

/// A member of a generated struct, by the offset that its descriptor gives.
template <class Member>
Member member(const ProtobufCMessage& message, unsigned offset) {
    Member value;
    std::memcpy(
        &value,
        static_cast<const char*>(static_cast<const void*>(&message)) + offset,
        sizeof(Member)  // NOLINT(bugprone-sizeof-expression): a pointer, if the member is one
    );
    return value;
}

bool is_set(const ProtobufCMessage& message, const ProtobufCFieldDescriptor& field) {
    const bool one_of =
        (field.flags & static_cast<std::uint32_t>(PROTOBUF_C_FIELD_FLAG_ONEOF)) != 0;
    return !one_of || member<std::uint32_t>(message, field.quantifier_offset) == field.id;
}

}  // namespace

void for_each_child(
    const ProtobufCMessage& message, const std::function<void(const ProtobufCMessage&)>& visit
) {
    const ProtobufCMessageDescriptor& kind = *message.descriptor;
    for (const ProtobufCFieldDescriptor& field : std::span(kind.fields, kind.n_fields)) {
        if (field.type != PROTOBUF_C_TYPE_MESSAGE || !is_set(message, field)) {
            continue;
        }
        if (field.label == PROTOBUF_C_LABEL_REPEATED) {
            const auto count = member<std::size_t>(message, field.quantifier_offset);
            const auto* const children =
                member<const ProtobufCMessage* const*>(message, field.offset);
            for (const ProtobufCMessage* child : std::span(children, count)) {
                visit(*child);
            }
        } else if (const auto* child = member<const ProtobufCMessage*>(message, field.offset)) {
            visit(*child);
        }
    }
}

}  // namespace veer::parser
