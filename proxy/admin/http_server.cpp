#include "proxy/admin/http_server.hpp"

#include "proxy/admin/http_site.hpp"
#include "proxy/admin/page.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace veer::proxy::admin {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;

constexpr std::size_t connections_max = 64;
constexpr std::uint32_t header_bytes_max = 8 * 1024;
constexpr std::uint64_t body_bytes_max = std::uint64_t{64} * 1024;
constexpr std::chrono::seconds patience{10};
constexpr std::chrono::milliseconds pause_after_failure{100};

std::optional<Tcp::endpoint> parse_endpoint(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) {
        return std::nullopt;
    }
    std::string address = text.substr(0, colon);
    if (address.size() >= 2 && address.front() == '[' && address.back() == ']') {
        address = address.substr(1, address.size() - 2);
    }
    std::uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, port);
    beast::error_code problem;
    const auto parsed =
        asio::ip::make_address(address == "localhost" ? "127.0.0.1" : address, problem);
    if (problem || error != std::errc{} || stop != end) {
        return std::nullopt;
    }
    return Tcp::endpoint(parsed, port);
}

std::string text_of(const http::fields& fields, http::field name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : std::string(found->value());
}

}  // namespace

/// Outlives its connections' answers, which come from other threads.
///
///     Impl owns the context, which owns handlers, which own Connections, which own Impl
///
/// So the ring has to be cut: stop() closes every socket and lets the context run empty; what comes
/// later finds it closed, and leaves no handler behind.
class HttpServer::Impl : public std::enable_shared_from_this<HttpServer::Impl> {
  public:
    explicit Impl(Operations& operations) : operations_(operations) {}

    std::string start(const std::string& address_and_port, const std::string& token);
    void stop();

    std::uint16_t port() const { return rules_.port; }

    void ask_readers(bool ask) { readers_asked_ = ask; }

  private:
    class Connection;

    HttpRules rules() const;
    void post(std::function<void()> task);
    void accept();
    void accept_later();
    void run();

    Operations& operations_;
    HttpRules rules_;
    asio::io_context context_;
    Tcp::acceptor acceptor_{context_};
    asio::steady_timer pause_{context_};
    std::thread thread_;
    std::atomic<std::size_t> connections_ = 0;
    std::atomic<bool> readers_asked_ = false;
    std::vector<std::weak_ptr<Connection>> open_;  // the context's thread's
    std::mutex mutex_;
    bool closed_ = false;  // under mutex_: nothing more is posted
};

/// One client: request, answer, and again while it keeps the connection.
class HttpServer::Impl::Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(std::shared_ptr<Impl> server, Tcp::socket socket)
        : server_(std::move(server)), stream_(std::move(socket)) {
        ++server_->connections_;
    }

    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    ~Connection() { --server_->connections_; }

    /// Whatever it waits for ends now.
    void close() { stream_.close(); }

    void read() {
        parser_.emplace();
        parser_->header_limit(header_bytes_max);
        parser_->body_limit(body_bytes_max);
        stream_.expires_after(patience);
        http::async_read(
            stream_,
            buffer_,
            *parser_,
            [self = shared_from_this()](beast::error_code error, std::size_t) {
                if (!error) {
                    self->on_request();
                }
            }
        );
    }

  private:
    void on_request() {
        const auto& message = parser_->get();
        const HttpRequest request{
            .method = std::string(message.method_string()),
            .target = std::string(message.target()),
            .host = text_of(message, http::field::host),
            .origin = text_of(message, http::field::origin),
            .authorization = text_of(message, http::field::authorization),
            .body = message.body()};
        HttpPlan planned = plan(request, server_->rules());
        if (auto* response = std::get_if<HttpResponse>(&planned)) {
            write(*response);
        } else if (const auto* wanted = std::get_if<SnapshotWanted>(&planned)) {
            server_->operations_.look([self = shared_from_this(),
                                       show = wanted->render](const Snapshot& snapshot) {
                self->answer(show(snapshot));
            });
        } else {
            const Command& command = std::get<Command>(planned);
            server_->operations_.carry_out(
                command,
                {.name = "http", .via = "http", .peer = "this machine"},
                [self = shared_from_this(), command](const Outcome& outcome) {
                    self->answer(render(command, outcome));
                }
            );
        }
    }

    /// On any thread.
    void answer(HttpResponse response) {
        server_->post([self = shared_from_this(), response = std::move(response)] {
            self->write(response);
        });
    }

    void write(const HttpResponse& response) {
        const auto& request = parser_->get();
        response_.emplace(static_cast<http::status>(response.status), request.version());
        response_->set(http::field::content_type, response.content_type);
        response_->set(http::field::cache_control, "no-store");
        response_->set("Content-Security-Policy", page_policy());
        response_->set("X-Content-Type-Options", "nosniff");
        response_->set("Referrer-Policy", "no-referrer");
        response_->keep_alive(request.keep_alive());
        const bool head = request.method() == http::verb::head;
        response_->content_length(response.body.size());
        if (!head) {
            response_->body() = response.body;
        }
        serializer_.emplace(*response_);
        stream_.expires_after(patience);
        const auto written = [self = shared_from_this()](beast::error_code error, std::size_t) {
            self->on_written(error);
        };
        if (head) {
            http::async_write_header(stream_, *serializer_, written);
        } else {
            http::async_write(stream_, *serializer_, written);
        }
    }

    void on_written(beast::error_code error) {
        if (!error && response_->keep_alive()) {
            read();
        } else {
            stream_.socket().shutdown(Tcp::socket::shutdown_send, error);
        }
    }

    std::shared_ptr<Impl> server_;
    beast::tcp_stream stream_;
    beast::flat_buffer buffer_{header_bytes_max + body_bytes_max};
    std::optional<http::request_parser<http::string_body>> parser_;
    std::optional<http::response<http::string_body>> response_;
    std::optional<http::response_serializer<http::string_body>> serializer_;
};

std::string HttpServer::check(const std::string& address_and_port) {
    const auto endpoint = parse_endpoint(address_and_port);
    if (!endpoint) {
        return "[admin] http \"" + address_and_port + "\" is not ADDRESS:PORT";
    }
    if (!endpoint->address().is_loopback()) {
        return "[admin] http " + address_and_port +
               " is not an address of this machine alone, and there is no encryption: let a web "
               "server with TLS stand before it";
    }
    return {};
}

std::string HttpServer::Impl::start(const std::string& address_and_port, const std::string& token) {
    if (std::string problem = check(address_and_port); !problem.empty()) {
        return problem;
    }
    const auto endpoint = parse_endpoint(address_and_port);
    beast::error_code error;
    acceptor_.open(endpoint->protocol(), error);
    if (!error) {
        acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    }
    if (!error) {
        acceptor_.bind(*endpoint, error);
    }
    if (!error) {
        acceptor_.listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
        return "[admin] http: could not listen on " + address_and_port + ": " + error.message();
    }
    rules_ = {
        .port = acceptor_.local_endpoint(error).port(), .token = token, .token_for_reading = false};
    accept();
    thread_ = std::thread([this] { run(); });
    return {};
}

void HttpServer::Impl::run() {
    while (!context_.stopped()) {
        try {
            context_.run();
        } catch (const std::exception& error) {
            // Memory has run out for one request.
            std::fprintf(stderr, "veer: a request by HTTP failed: %s\n", error.what());
        }
    }
}

void HttpServer::Impl::accept_later() {
    pause_.expires_after(pause_after_failure);
    pause_.async_wait([this](const beast::error_code& canceled) {
        if (!canceled) {
            accept();
        }
    });
}

void HttpServer::Impl::accept() {
    if (!acceptor_.is_open()) {
        return;
    }
    acceptor_.async_accept([this](beast::error_code error, Tcp::socket socket) {
        if (error == asio::error::operation_aborted) {
            return;
        }
        if (error) {
            // No descriptors are left, say: trying again at once would take a whole processor.
            accept_later();
            return;
        }
        std::erase_if(open_, [](const auto& each) { return each.expired(); });
        if (connections_ < connections_max) {
            const auto made = std::make_shared<Connection>(shared_from_this(), std::move(socket));
            open_.push_back(made);
            made->read();
        }
        accept();
    });
}

HttpRules HttpServer::Impl::rules() const {
    HttpRules rules = rules_;
    rules.token_for_reading = readers_asked_;
    return rules;
}

/// Not after stop(): nobody would ever run it, nor free what it holds.
void HttpServer::Impl::post(std::function<void()> task) {
    const std::lock_guard lock(mutex_);
    if (!closed_) {
        asio::post(context_, std::move(task));
    }
}

void HttpServer::Impl::stop() {
    post([this] {
        beast::error_code ignored;
        acceptor_.close(ignored);
        pause_.cancel();
        for (const auto& each : open_) {
            if (const auto alive = each.lock()) {
                alive->close();
            }
        }
    });
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }
    if (thread_.joinable()) {
        thread_.join();
    }
}

HttpServer::HttpServer(Operations& operations) : impl_(std::make_shared<Impl>(operations)) {}

HttpServer::~HttpServer() {
    try {
        stop();
    } catch (...) {  // NOLINT(bugprone-empty-catch): memory has run out, for the task that closes
    }
}

std::string HttpServer::start(const std::string& address_and_port, const std::string& token) {
    return impl_->start(address_and_port, token);
}

void HttpServer::ask_readers(bool ask) {
    impl_->ask_readers(ask);
}

std::uint16_t HttpServer::port() const {
    return impl_->port();
}

void HttpServer::stop() {
    impl_->stop();
}

}  // namespace veer::proxy::admin
