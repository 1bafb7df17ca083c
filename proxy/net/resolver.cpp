#include "proxy/net/resolver.hpp"

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace veer::proxy::net {

namespace {

Resolver::Found look_up(const Endpoint& endpoint, int flags) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    addrinfo* list = nullptr;
    const std::string port = std::to_string(endpoint.port);
    const int error = getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &list);
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);
    Resolver::Found found;
    if (error != 0) {
        found.problem =
            error == EAI_SYSTEM ? std::generic_category().message(errno) : gai_strerror(error);
        return found;
    }
    for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
        Address address;
        std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
        address.bytes = one->ai_addrlen;
        found.addresses.push_back(address);
    }
    return found;
}

}  // namespace

Resolver::Resolver() : thread_([this] { answer_questions(); }) {}

void Resolver::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) {
        thread_.join();
    }
}

Resolver::Found Resolver::find_at_once(const Endpoint& endpoint) {
    if (!endpoint.unix_socket()) {
        return look_up(endpoint, AI_NUMERICHOST | AI_NUMERICSERV);
    }
    Found found;
    if (const auto address = unix_address(endpoint)) {
        found.addresses.push_back(*address);
    } else {
        found.problem = "the path of the Unix socket is too long";
    }
    return found;
}

void Resolver::find(const Endpoint& endpoint, Done done) {
    {
        const std::scoped_lock lock(mutex_);
        const auto same =
            std::find_if(questions_.begin(), questions_.end(), [&](const auto& asked) {
                return asked.endpoint == endpoint;
            });
        if (same != questions_.end()) {
            same->waiting.push_back(std::move(done));
            return;
        }
        questions_.push_back({.endpoint = endpoint, .waiting = {}});
        questions_.back().waiting.push_back(std::move(done));
    }
    changed_.notify_one();
}

void Resolver::answer_questions() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return stopping_ || !questions_.empty(); });
        if (stopping_) {
            return;
        }
        const Question question = std::move(questions_.front());
        questions_.pop_front();
        lock.unlock();
        const Found found = look_up(question.endpoint, AI_NUMERICSERV);
        for (const Done& done : question.waiting) {
            done(found);
        }
        lock.lock();
    }
}

}  // namespace veer::proxy::net
