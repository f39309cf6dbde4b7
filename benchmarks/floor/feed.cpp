// Market data to books: a QuickFIX initiator on both market-data sessions, each message's book published as a struct.
//
// feed CFG BUS_DIR. Snapshots (W) replace a book, increments (X) change it by MDEntryPositionNo(290). No gap repair and
// no calibration: this is the least that a QuickFIX program does. Ends on SIGTERM.
#include <quickfix/Application.h>
#include <quickfix/FileStore.h>
#include <quickfix/Group.h>
#include <quickfix/Session.h>
#include <quickfix/SessionSettings.h>
#include <quickfix/SocketInitiator.h>
#include <zmq.h>

#include <cmath>
#include <csignal>
#include <map>

#include "common.h"

namespace {

struct Instrument {
  int leg;
  std::string symbol;
  double tick;
};

void insert_level(Level* side, int position) {
  for (int i = kDepth - 1; i > position; --i) side[i] = side[i - 1];
}

void erase_level(Level* side, int position) {
  for (int i = position; i < kDepth - 1; ++i) side[i] = side[i + 1];
  side[kDepth - 1] = Level{0, 0};
}

int depth_of(const Level* side) {
  int depth = 0;
  while (depth < kDepth && side[depth].qty_lots > 0) ++depth;
  return depth;
}

class Feed : public FIX::Application {
 public:
  Feed(void* publisher, const FIX::SessionSettings& settings) : publisher_(publisher) {
    for (const FIX::SessionID& id : settings.getSessions()) {
      const FIX::Dictionary& words = settings.get(id);
      const int leg = words.getInt("Leg");
      instruments_[id] = Instrument{leg, words.getString("Symbol"), words.getDouble("Tick")};
      books_[leg] = Quote{};
      books_[leg].leg = leg;
    }
  }

  void onCreate(const FIX::SessionID&) override {}
  void onLogout(const FIX::SessionID&) override {}
  void toAdmin(FIX::Message&, const FIX::SessionID&) override {}
  void toApp(FIX::Message&, const FIX::SessionID&) throw(FIX::DoNotSend) override {}
  void fromAdmin(const FIX::Message&, const FIX::SessionID&)
      throw(FIX::FieldNotFound, FIX::IncorrectDataFormat, FIX::IncorrectTagValue, FIX::RejectLogon) override {}

  void onLogon(const FIX::SessionID& id) override {
    const Instrument& instrument = instruments_.at(id);
    FIX::Message request;
    request.getHeader().setField(35, "V");
    request.setField(262, "R1");
    request.setField(263, "1");
    request.setField(264, "5");
    request.setField(265, instrument.leg == 0 ? "0" : "1");
    for (const char* type : {"0", "1", "2"}) {
      FIX::Group group(267, 269);
      group.setField(269, type);
      request.addGroup(group);
    }
    FIX::Group symbol(146, 55);
    symbol.setField(55, instrument.symbol);
    request.addGroup(symbol);
    FIX::Session::sendToTarget(request, id);
  }

  void fromApp(const FIX::Message& message, const FIX::SessionID& id)
      throw(FIX::FieldNotFound, FIX::IncorrectDataFormat, FIX::IncorrectTagValue,
            FIX::UnsupportedMessageType) override {
    const int64_t recv_ns = now_ns();
    const Instrument& instrument = instruments_.at(id);
    Quote& book = books_[instrument.leg];
    const std::string& type = message.getHeader().getField(35);
    if (type == "W") {
      for (int i = 0; i < kDepth; ++i) book.bids[i] = book.asks[i] = Level{0, 0};
      snapshot(message, instrument, book);
    } else if (type == "X") {
      increment(message, instrument, book);
    } else {
      return;
    }
    book.msg_seq_num = std::atoi(message.getHeader().getField(34).c_str());
    book.recv_ns = recv_ns;
    book.bid_levels = depth_of(book.bids);
    book.ask_levels = depth_of(book.asks);
    book.pub_ns = now_ns();
    zmq_send(publisher_, &book, sizeof book, ZMQ_DONTWAIT);
  }

 private:
  static Level level_of(const FIX::FieldMap& entry, const Instrument& instrument) {
    const double px = std::strtod(entry.getField(270).c_str(), nullptr);
    return Level{int32_t(std::lround(px / instrument.tick)), std::atoi(entry.getField(271).c_str())};
  }

  static Level* side_of(const FIX::FieldMap& entry, Quote& book) {
    const std::string& type = entry.getField(269);
    if (type == "0") return book.bids;
    return type == "1" ? book.asks : nullptr;
  }

  static void snapshot(const FIX::Message& message, const Instrument& instrument, Quote& book) {
    const int entries = std::atoi(message.getField(268).c_str());
    for (int i = 1; i <= entries; ++i) {
      const FIX::FieldMap& entry = *message.getGroupPtr(i, 268);
      Level* side = side_of(entry, book);
      if (!side) continue;
      const int position = std::atoi(entry.getField(290).c_str());
      if (position >= 1 && position <= kDepth) side[position - 1] = level_of(entry, instrument);
    }
  }

  static void increment(const FIX::Message& message, const Instrument& instrument, Quote& book) {
    const int entries = std::atoi(message.getField(268).c_str());
    for (int i = 1; i <= entries; ++i) {
      const FIX::FieldMap& entry = *message.getGroupPtr(i, 268);
      Level* side = side_of(entry, book);
      if (!side) continue;
      const int position = std::atoi(entry.getField(290).c_str()) - 1;
      if (position < 0 || position >= kDepth) continue;
      const char action = entry.getField(279)[0];
      if (action == '2') {
        erase_level(side, position);
        continue;
      }
      if (action == '0') insert_level(side, position);
      side[position] = level_of(entry, instrument);
    }
  }

  void* publisher_;
  std::map<FIX::SessionID, Instrument> instruments_;
  Quote books_[kLegs];
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: feed CFG BUS_DIR\n";
    return 2;
  }
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  void* context = zmq_ctx_new();
  void* publisher = zmq_socket(context, ZMQ_PUB);
  const int high_water_mark = 10000, linger = 0;
  zmq_setsockopt(publisher, ZMQ_SNDHWM, &high_water_mark, sizeof high_water_mark);
  zmq_setsockopt(publisher, ZMQ_LINGER, &linger, sizeof linger);
  if (zmq_bind(publisher, quotes_address(argv[2]).c_str())) {
    std::cerr << "cannot bind " << quotes_address(argv[2]) << ": " << zmq_strerror(zmq_errno()) << "\n";
    return 1;
  }
  FIX::SessionSettings settings(argv[1]);
  Feed feed(publisher, settings);
  FIX::FileStoreFactory store(settings);
  FIX::SocketInitiator initiator(feed, store, settings);
  initiator.start();
  int signal_number;
  sigwait(&ends, &signal_number);
  initiator.stop(true);
  zmq_close(publisher);
  zmq_ctx_term(context);
}
