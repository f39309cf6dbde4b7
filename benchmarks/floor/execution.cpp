// Intents to orders: a QuickFIX initiator on both order sessions; both legs are built, journalled, then sent.
//
// execution CFG BUS_DIR JOURNAL. One append write() of the intent and both orders comes before the first send; a thread
// of its own calls fdatasync every 5 ms. FLOOR_WARM=1: when no intent comes for a millisecond, orders are built and
// thrown away, so that caches stay warm. Ends on SIGTERM.
#include <fcntl.h>
#include <quickfix/Application.h>
#include <quickfix/FileStore.h>
#include <quickfix/Session.h>
#include <quickfix/SessionSettings.h>
#include <quickfix/SocketInitiator.h>
#include <unistd.h>
#include <zmq.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <thread>

#include "common.h"

namespace {

std::atomic<bool> ended{false};

struct Leg {
  FIX::SessionID session;
  std::string symbol, account, exchange;
  double tick = 0;
  int decimals = 0;
};

class Execution : public FIX::Application {
 public:
  explicit Execution(const FIX::SessionSettings& settings) {
    for (const FIX::SessionID& id : settings.getSessions()) {
      const FIX::Dictionary& words = settings.get(id);
      Leg& leg = legs_[words.getInt("Leg")];
      leg.session = id;
      leg.symbol = words.getString("Symbol");
      leg.account = words.getString("Account");
      leg.exchange = words.getString("Exchange");
      leg.tick = words.getDouble("Tick");
      leg.decimals = words.getInt("Decimals");
    }
  }

  void onCreate(const FIX::SessionID&) override {}
  void onLogon(const FIX::SessionID&) override {}
  void onLogout(const FIX::SessionID&) override {}
  void toAdmin(FIX::Message&, const FIX::SessionID&) override {}
  void toApp(FIX::Message&, const FIX::SessionID&) throw(FIX::DoNotSend) override {}
  void fromAdmin(const FIX::Message&, const FIX::SessionID&)
      throw(FIX::FieldNotFound, FIX::IncorrectDataFormat, FIX::IncorrectTagValue, FIX::RejectLogon) override {}

  void fromApp(const FIX::Message& message, const FIX::SessionID&)
      throw(FIX::FieldNotFound, FIX::IncorrectDataFormat, FIX::IncorrectTagValue,
            FIX::UnsupportedMessageType) override {
    if (message.getHeader().getField(35) != "8") return;
    if (message.getField(39) == "2") filled_ += std::atoi(message.getField(32).c_str());
  }

  FIX::Message order(const Intent& intent, int number) const {
    const Leg& leg = legs_[number];
    const bool buy = (intent.side > 0) == (number == 0);
    char text[32];
    FIX::Message message;
    message.getHeader().setField(35, "D");
    std::snprintf(text, sizeof text, "F1-%06lld-%d", static_cast<long long>(intent.id), number);
    message.setField(11, text);
    message.setField(1, leg.account);
    message.setField(55, leg.symbol);
    message.setField(54, buy ? "1" : "2");
    message.setField(FIX::TransactTime(FIX::UtcTimeStamp(), 3));
    message.setField(38, std::to_string(intent.qty_lots[number]));
    message.setField(40, "2");
    std::snprintf(text, sizeof text, "%.*f", leg.decimals, intent.px_ticks[number] * leg.tick);
    message.setField(44, text);
    message.setField(59, "3");
    if (number == 0) {
      message.setField(207, leg.exchange);
      message.setField(77, buy ? "O" : "C");
      if (!buy) message.setField(20077, "Y");
      message.setField(20078, "2");
    } else {
      message.setField(21, "1");
      message.setField(204, "0");
      message.setField(1028, "N");
    }
    return message;
  }

  const FIX::SessionID& session(int number) const { return legs_[number].session; }

 private:
  Leg legs_[kLegs];
  std::atomic<int64_t> filled_{0};
};

// One record: the intent, then the text of both orders, in kRecordBytes.
void journal(int file, const Intent& intent, const FIX::Message (&orders)[kLegs]) {
  char record[kRecordBytes] = {};
  std::memcpy(record, &intent, sizeof intent);
  size_t size = sizeof intent;
  for (const FIX::Message& order : orders) {
    const std::string text = order.toString();
    const size_t fits = std::min(text.size(), sizeof record - size);
    std::memcpy(record + size, text.data(), fits);
    size += fits;
  }
  if (write(file, record, sizeof record) != static_cast<ssize_t>(sizeof record)) {
    std::perror("journal");
    _exit(1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: execution CFG BUS_DIR JOURNAL\n";
    return 2;
  }
  const bool warm = std::string(env("FLOOR_WARM", "0")) == "1";
  struct sigaction action = {};
  action.sa_handler = [](int) { ended = true; };
  sigaction(SIGTERM, &action, nullptr);
  const int file = open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) {
    std::perror(argv[3]);
    return 1;
  }
  void* context = zmq_ctx_new();
  void* intents = zmq_socket(context, ZMQ_PULL);
  const int patience_ms = warm ? 1 : 200, linger = 0;
  zmq_setsockopt(intents, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms);
  zmq_setsockopt(intents, ZMQ_LINGER, &linger, sizeof linger);
  if (zmq_bind(intents, intents_address(argv[2]).c_str())) {
    std::cerr << "cannot bind " << intents_address(argv[2]) << ": " << zmq_strerror(zmq_errno()) << "\n";
    return 1;
  }
  FIX::SessionSettings settings(argv[1]);
  Execution execution(settings);
  FIX::FileStoreFactory store(settings);
  FIX::SocketInitiator initiator(execution, store, settings);
  initiator.start();
  std::thread syncer([file] {
    while (!ended) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      fdatasync(file);
    }
  });
  Intent last = {};
  while (!ended) {
    Intent intent;
    if (zmq_recv(intents, &intent, sizeof intent, 0) != sizeof intent) {
      if (warm) {
        const FIX::Message orders[kLegs] = {execution.order(last, 0), execution.order(last, 1)};
        if (orders[0].toString().empty() || orders[1].toString().empty()) return 1;
      }
      continue;
    }
    intent.executed_ns = now_ns();
    FIX::Message orders[kLegs] = {execution.order(intent, 0), execution.order(intent, 1)};
    journal(file, intent, orders);
    for (int number = 0; number < kLegs; ++number) FIX::Session::sendToTarget(orders[number], execution.session(number));
    last = intent;
  }
  syncer.join();
  initiator.stop(true);
  zmq_close(intents);
  zmq_ctx_term(context);
}
