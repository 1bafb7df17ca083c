#include "proxy/net/pipe.hpp"

namespace veer::proxy::net {

namespace {

/// Of `out`: written bytes are cut off when there are so many, for a slow reader never lets it run
/// empty.
constexpr std::size_t sent_bytes_kept_max = std::size_t{64} * 1024;

}  // namespace

std::error_code Pipe::send(std::string_view bytes) {
    return bytes.empty() ? std::error_code() : send_as_it_is(layer.sealed(bytes));
}

std::string_view Pipe::open(std::string_view from_socket) {
    const std::string_view plaintext = layer.opened(from_socket);
    if (send_as_it_is(layer.own_words())) {
        gone = true;
    }
    ended = ended || layer.ended();
    return plaintext;
}

void Pipe::say_goodbye() {
    layer.close();
    if (send_as_it_is(layer.own_words())) {
        gone = true;
    }
}

std::error_code Pipe::send_as_it_is(std::string_view bytes) {
    if (gone || bytes.empty()) {
        return {};
    }
    if (unsent() > 0) {
        out_ += bytes;
        return {};
    }
    const Socket::Result result = socket.send(bytes);
    if (result.error) {
        drop_waiting();
        return result.error;
    }
    out_ += bytes.substr(result.bytes);
    return {};
}

std::error_code Pipe::send_waiting() {
    if (unsent() == 0) {
        return {};
    }
    const Socket::Result result = socket.send(std::string_view(out_).substr(sent_));
    if (result.error) {
        drop_waiting();
        return result.error;
    }
    sent_ += result.bytes;
    if (unsent() == 0) {
        drop_waiting();
    } else if (sent_ >= sent_bytes_kept_max) {
        out_.erase(0, sent_);
        sent_ = 0;
    }
    return {};
}

void Pipe::drop_waiting() {
    std::string().swap(out_);  // a session at rest holds no buffer
    sent_ = 0;
}

}  // namespace veer::proxy::net
