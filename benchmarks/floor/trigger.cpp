// Books to intents: fires once each time the pair's price crosses the rule's threshold.
//
// trigger BUS_DIR FACTOR TICK_A TICK_B BUY_AT SELL_AT QTY_A QTY_B. The pair's price is leg A minus FACTOR times leg B,
// at the best opposite prices. The rule arms again when neither side is met. Ends on SIGTERM.
#include <zmq.h>

#include <csignal>

#include "common.h"

int main(int argc, char** argv) {
  if (argc != 9) {
    std::cerr << "usage: trigger BUS_DIR FACTOR TICK_A TICK_B BUY_AT SELL_AT QTY_A QTY_B\n";
    return 2;
  }
  const double factor = std::atof(argv[2]), tick_a = std::atof(argv[3]), tick_b = std::atof(argv[4]);
  const double buy_at = std::atof(argv[5]), sell_at = std::atof(argv[6]);
  const int qty_a = std::atoi(argv[7]), qty_b = std::atoi(argv[8]);
  signal(SIGTERM, [](int) { _exit(0); });
  void* context = zmq_ctx_new();
  void* quotes = zmq_socket(context, ZMQ_SUB);
  const int high_water_mark = 10000, yes = 1;
  zmq_setsockopt(quotes, ZMQ_RCVHWM, &high_water_mark, sizeof high_water_mark);
  zmq_setsockopt(quotes, ZMQ_SUBSCRIBE, "", 0);
  zmq_connect(quotes, quotes_address(argv[1]).c_str());
  void* intents = zmq_socket(context, ZMQ_PUSH);
  zmq_setsockopt(intents, ZMQ_IMMEDIATE, &yes, sizeof yes);
  zmq_connect(intents, intents_address(argv[1]).c_str());

  Quote books[kLegs] = {};
  bool armed = true;
  int64_t count = 0;
  for (;;) {
    Quote quote;
    if (zmq_recv(quotes, &quote, sizeof quote, 0) != sizeof quote) continue;
    const int64_t taken_ns = now_ns();
    books[quote.leg] = quote;
    const Quote &a = books[0], &b = books[1];
    if (!a.bid_levels || !a.ask_levels || !b.bid_levels || !b.ask_levels) continue;
    const double buy_px = a.asks[0].px_ticks * tick_a - factor * b.bids[0].px_ticks * tick_b;
    const double sell_px = a.bids[0].px_ticks * tick_a - factor * b.asks[0].px_ticks * tick_b;
    const bool buy = buy_px <= buy_at && a.asks[0].qty_lots >= qty_a && b.bids[0].qty_lots >= qty_b;
    const bool sell = sell_px >= sell_at && a.bids[0].qty_lots >= qty_a && b.asks[0].qty_lots >= qty_b;
    if (!buy && !sell) {
      armed = true;
      continue;
    }
    if (!armed) continue;
    armed = false;
    Intent intent;
    intent.id = ++count;
    intent.side = buy ? 1 : -1;
    intent.px_ticks[0] = buy ? a.asks[0].px_ticks : a.bids[0].px_ticks;
    intent.px_ticks[1] = buy ? b.bids[0].px_ticks : b.asks[0].px_ticks;
    intent.qty_lots[0] = qty_a;
    intent.qty_lots[1] = qty_b;
    intent.recv_ns = quote.recv_ns;
    intent.pub_ns = quote.pub_ns;
    intent.taken_ns = taken_ns;
    intent.decided_ns = now_ns();
    zmq_send(intents, &intent, sizeof intent, ZMQ_DONTWAIT);
  }
}
