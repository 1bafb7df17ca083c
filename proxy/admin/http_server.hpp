#pragma once

#include "proxy/admin/operations.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace veer::proxy::admin {

/// Serves HttpSite on a thread of its own, so that it holds up no search.
///
/// Invariants:
/// 1. Only an address of this machine is listened on: there is no encryption here.
/// 2. At most 64 connections, headers of 8 KiB, bodies of 64 KiB, 10 s for each request and answer.
class HttpServer {
  public:
    explicit HttpServer(Operations& operations);
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// Stops and joins.
    ~HttpServer();

    /// What is wrong with ADDRESS:PORT, whether or not it is free; empty where nothing is.
    static std::string check(const std::string& address_and_port);

    /// Listens on ADDRESS:PORT and begins to serve; `token` is asked for whatever changes
    /// something. Empty where that worked, else a sentence. Port 0 takes any free one.
    std::string start(const std::string& address_and_port, const std::string& token);

    /// That it listens on.
    std::uint16_t port() const;

    /// From the next request on the token is asked for looking, too. Thread-safe.
    void ask_readers(bool ask);

    /// Ends every connection and joins.
    void stop();

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace veer::proxy::admin
