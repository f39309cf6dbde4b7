"""What each figure of a run is, in words: English and Chinese. `measure.py` computes what stands here."""

from collections.abc import Mapping

DEFINITIONS: Mapping[str, tuple[str, str]] = {
    "order_success": (
        (
            "Order acceptance: orders that the venue accepted, of orders sent. Any reject by a venue is a failure, and so is"
            " an order that the venue never spoke of. The lower end is over pair trades: one succeeds when all its orders"
            " were accepted."
        ),
        (
            "委托接受率:被交易所接受的委托数 / 已发出的委托数。交易所的任何拒单均计为失败,交易所从未回报的委托也计为失败。"
            "置信下限以配对交易为样本:一笔配对交易的全部委托都被接受才算成功。"
        ),
    ),
    "pair_completion": (
        (
            "Pair completion: pair trades hedged within their legged-time and slippage budgets, not unwound, not halted,"
            " of pair trades dispatched."
        ),
        "配对完成率:在单腿暴露时间和滑点预算之内完成对冲、未回退、未停机的配对交易数 / 已派发的配对交易数。",
    ),
    "first_shot": (
        "First shot: pair trades whose every leg was filled by its first order, of pair trades dispatched.",
        "首发成功率:每条腿都由第一笔委托完全成交的配对交易数 / 已派发的配对交易数。",
    ),
    "quote_to_order_ns": (
        "Gateway latency: from the last byte of the causing quote read to the last leg's order written.",
        "网关延迟:从读完触发行情的最后一个字节,到最后一条腿的委托写出。",
    ),
    "leg_skew_ns": (
        "Leg skew: between the first and the last order of the first dispatch written.",
        "腿间时差:首次派发中第一笔与最后一笔委托写出的时间差。",
    ),
    "quotes_in_step_ns_p99": (
        (
            "In step: 99th percentile of the difference of the two legs' errors, error = calibrated time minus true event"
            " time. Not measured while quotes carry no calibrated time."
        ),
        "行情同步误差:两腿误差之差的第 99 百分位,误差 = 校准时间 - 真实事件时间。行情没有校准时间时为未测量。",
    ),
    "slippage": (
        (
            "Slippage: money of the pair's currency lost against the executable prices that the decision saw, all orders of"
            " the pair trade; negative is won."
        ),
        "滑点:相对于决策时可成交价格的损失金额(配对币种,含该配对交易的全部委托);负数为有利。",
    ),
    "legged": (
        "Legged: a pair trade that was ever halted, or unbalanced for longer than its limit, whatever became of it.",
        "单腿超限:曾经停机,或单腿暴露时间曾超过限额的配对交易,不论最终结果。",
    ),
}
