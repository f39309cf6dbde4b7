"""The sockets, between threads of one process and with real queues."""

# ruff: noqa: F811 - a parameter is the fixture of its name

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq
from bus_fixtures import bus_dir, opened  # noqa: F401 - pytest finds them here
from bus_values import command, intent, joined, position, quote, status, until, wait_for

from gateway.bus.sockets import (
    LONGEST_IPC_PATH,
    BusError,
    CommandClient,
    CommandServer,
    IntentReceiver,
    IntentSender,
    LatestQuotes,
    Publisher,
    Subscriber,
    endpoint,
    prepare_bus_dir,
)
from gateway.bus.topics import Gap
from gateway.model.trade import CommandAnswered, Verb

Keep = Callable[[Any], Any]
SECOND = 10**9


def test_the_bus_directory_is_made_for_us_alone(tmp_path: Path) -> None:
    """A new directory has mode 0700 whatever the umask, and one that has it is accepted."""
    old = os.umask(0)
    try:
        made = prepare_bus_dir(tmp_path / "b")
    finally:
        os.umask(old)
    assert made.stat().st_mode & 0o777 == 0o700
    assert prepare_bus_dir(made) == made


def test_a_bus_directory_that_lets_others_in_is_refused(tmp_path: Path) -> None:
    """The message names directory, mode, and what would be right."""
    (tmp_path / "b").mkdir()
    (tmp_path / "b").chmod(0o750)
    with pytest.raises(BusError, match=r"b: mode 0750 lets others in; it has to be 0700"):
        prepare_bus_dir(tmp_path / "b")


def test_a_bus_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """What stands in the way is said in words."""
    (tmp_path / "b").write_text("")
    with pytest.raises(BusError, match="it has to be a directory"):
        prepare_bus_dir(tmp_path / "b")


def test_a_path_may_be_as_long_as_a_socket_s_and_no_longer() -> None:
    """107 bytes are taken, 108 refused; bytes count, not characters."""
    room = LONGEST_IPC_PATH - len("/x.pub")
    assert endpoint("/" + "a" * (room - 1), "x.pub") == f"ipc:///{'a' * (room - 1)}/x.pub"
    with pytest.raises(BusError, match="has 108 bytes, a socket's path at most 107"):
        endpoint("/" + "a" * room, "x.pub")
    with pytest.raises(BusError, match="has 108 bytes"):
        endpoint("/" + "é" * (room // 2) + "a" * (room % 2), "x.pub")


def test_a_directory_too_deep_is_refused_before_it_is_made(tmp_path: Path) -> None:
    """The longest name in it decides, at the start and not at the first connection."""
    deep = tmp_path / ("d" * LONGEST_IPC_PATH)
    with pytest.raises(BusError, match="at most 107"):
        prepare_bus_dir(deep)
    assert not deep.exists()


def test_messages_arrive_once_and_in_order(bus_dir: Path, opened: Keep) -> None:
    """A subscriber that is there gets every message of its topics and of no other."""
    publisher = opened(Publisher(bus_dir, "feed", 4))
    subscriber = opened(Subscriber(bus_dir, "feed", ["Q."]))
    joined(publisher, subscriber)
    for number in range(1, 301):
        publisher.publish(quote(number))
        publisher.publish(position(number))
    received = wait_for(subscriber, 300)
    assert [(one.topic, one.incarnation, one.seq, one.message) for one in received] == [
        ("Q.A", 4, number, quote(number)) for number in range(1, 301)
    ]
    assert subscriber.take_gaps() == []


def test_a_late_joiner_gets_the_last_message_of_each_topic(bus_dir: Path, opened: Keep) -> None:
    """What was published before it came is answered from memory, by prefix, and is no gap."""
    publisher = opened(Publisher(bus_dir, "feed", 4))
    for number in (1, 2, 3):
        publisher.publish(quote(number))
        publisher.publish(quote(number, "B"))
        publisher.publish(position(number))
    subscriber = opened(Subscriber(bus_dir, "feed", ["Q.", "X."]))
    subscriber.ask()
    assert subscriber.is_waiting
    received = wait_for(subscriber, 2, publisher)
    assert not subscriber.is_waiting
    assert [(one.topic, one.seq, one.message) for one in received] == [
        ("Q.A", 3, quote(3)), ("Q.B", 3, quote(3, "B")),
    ]  # fmt: skip
    assert subscriber.take_gaps() == []


def test_an_answer_does_not_repeat_what_was_heard(bus_dir: Path, opened: Keep) -> None:
    """The last message of a topic that came by the stream is not given again."""
    publisher = opened(Publisher(bus_dir, "feed", 4))
    subscriber = opened(Subscriber(bus_dir, "feed", ["Q."]))
    joined(publisher, subscriber)
    publisher.publish(quote(1))
    wait_for(subscriber, 1)
    subscriber.ask()
    until(lambda: publisher.snapshots.poll(5))
    publisher.answer_snapshots()
    until(lambda: subscriber.answers.poll(5))
    assert subscriber.poll() == []


def test_a_slow_subscriber_knows_what_it_missed_and_recovers(bus_dir: Path, opened: Keep) -> None:
    """With queues of 5 a burst of 20 000 overflows: every message is either received once or in a gap that is told,
    and the last word on a topic that fell silent is asked for and comes.
    """
    publisher = opened(Publisher(bus_dir, "feed", 4, high_water_mark=5))
    subscriber = opened(Subscriber(bus_dir, "feed", ["Q.", "U."], high_water_mark=5))
    joined(publisher, subscriber)
    for number in range(1, 20_001):
        publisher.publish(quote(number))
    publisher.publish(position(9))
    received = []

    def last_word() -> bool:
        publisher.publish(quote(publisher._topics["Q.A"][1] + 1))
        publisher.answer_snapshots()
        received.extend(subscriber.poll(2))
        return any(one.topic == "U.R" for one in received)

    until(last_word)
    gaps = subscriber.take_gaps()
    assert gaps, "nothing overflowed"
    seen = [one.seq for one in received if one.topic == "Q.A"]
    missed = [seq for gap in gaps for seq in range(gap.first_seq, gap.last_seq + 1) if gap.topic == "Q.A"]
    assert seen == sorted(set(seen))
    assert sorted(seen + missed) == list(range(1, seen[-1] + 1))
    assert [one.message for one in received if one.topic == "U.R"] == [position(9)]


def test_a_publisher_that_begins_anew_is_asked_for_everything(bus_dir: Path, opened: Keep) -> None:
    """What the new incarnation said before the subscriber was connected again is told as missed, and its last word
    comes all the same.
    """
    first = Publisher(bus_dir, "feed", 4)
    subscriber = opened(Subscriber(bus_dir, "feed", ["Q.", "U."]))
    joined(first, subscriber)
    first.publish(position(1))
    wait_for(subscriber, 1)
    first.close()
    second = opened(Publisher(bus_dir, "feed", 5))
    second.publish(position(2))
    second.publish(position(3))
    received = []

    def heard() -> bool:
        second.publish(quote(1, "B"))
        second.answer_snapshots()
        received.extend(subscriber.poll(5))
        return any(one.message == position(3) for one in received)

    until(heard)
    assert {one.incarnation for one in received} == {5}
    assert Gap("U.R", 5, 1, 1) in subscriber.take_gaps()


def test_a_request_that_went_down_with_the_publisher_is_made_again(bus_dir: Path, opened: Keep) -> None:
    """A publisher that died unheard leaves no question open: the first word of its successor asks anew."""
    first = Publisher(bus_dir, "feed", 4)
    subscriber = opened(Subscriber(bus_dir, "feed", ["Q.", "U."]))
    subscriber.ask()
    until(lambda: first.snapshots.poll(5))
    first.close()
    second = opened(Publisher(bus_dir, "feed", 5))
    second.publish(position(2))
    received = []

    def heard() -> bool:
        second.publish(quote(1, "B"))
        second.answer_snapshots()
        received.extend(subscriber.poll(5))
        return any(one.message == position(2) for one in received)

    until(heard)
    until(lambda: second.answer_snapshots() or subscriber.poll(5) or not subscriber.is_waiting)


def test_an_answer_to_an_earlier_request_leaves_the_later_one_open(bus_dir: Path, opened: Keep) -> None:
    """Only the answer to the last request ends the waiting, and both are taken."""
    publisher = opened(Publisher(bus_dir, "feed", 4))
    subscriber = opened(Subscriber(bus_dir, "feed", ["Q."]))
    subscriber.ask()
    until(lambda: publisher.snapshots.poll(5))
    publisher.answer_snapshots()
    until(lambda: subscriber.answers.poll(5))
    subscriber.ask()
    assert subscriber.poll() == []
    assert subscriber.is_waiting
    until(lambda: publisher.snapshots.poll(5))
    publisher.answer_snapshots()
    until(lambda: subscriber.answers.poll(5))
    assert subscriber.poll() == []
    assert not subscriber.is_waiting


def test_drain_takes_no_more_than_it_is_told(bus_dir: Path, opened: Keep) -> None:
    """The rest waits; answers are left until the stream is empty."""
    publisher = opened(Publisher(bus_dir, "feed", 4))
    subscriber = opened(Subscriber(bus_dir, "feed", ["Q."]))
    joined(publisher, subscriber)
    for number in range(1, 11):
        publisher.publish(quote(number))
    taken: list[int] = []

    def some() -> bool:
        count = subscriber.drain(lambda one: taken.append(one.seq), 3)
        assert count <= 3
        return len(taken) == 10

    until(some)
    assert taken == list(range(1, 11))


def test_asking_never_waits(bus_dir: Path, opened: Keep) -> None:
    """Without a publisher thousands of requests are made and none blocks."""
    subscriber = opened(Subscriber(bus_dir, "nobody", ["Q."], high_water_mark=2))
    for _ in range(5000):
        subscriber.ask()
    assert subscriber.poll() == []


def test_two_threads_may_publish(bus_dir: Path, opened: Keep) -> None:
    """Every message of both has a number of its own and arrives."""
    publisher = opened(Publisher(bus_dir, "feed", 4))
    subscriber = opened(Subscriber(bus_dir, "feed", ["Q."]))
    joined(publisher, subscriber)
    threads = [threading.Thread(target=lambda: [publisher.publish(quote(n)) for n in range(500)]) for _ in range(2)]
    for thread in threads:
        thread.start()
    received = wait_for(subscriber, 1000)
    for thread in threads:
        thread.join()
    assert [one.seq for one in received] == list(range(1, 1001))
    assert subscriber.take_gaps() == []


def test_a_request_that_is_none_does_not_end_the_publisher(bus_dir: Path, opened: Keep) -> None:
    """Bytes that are no text name no topic; the answer is empty and the next request is answered."""
    publisher = opened(Publisher(bus_dir, "feed", 4))
    publisher.publish(quote(1))
    stray = opened(zmq.Context.instance().socket(zmq.DEALER))
    stray.linger = 0
    stray.connect(endpoint(bus_dir, "feed.snap"))
    stray.send(b"no prefix")
    stray.send_multipart([b"tag", b"\xff\xfe"])
    stray.send_multipart([b"tag", b"Q."])
    answers = []

    def answered() -> bool:
        publisher.answer_snapshots()
        while stray.poll(2):
            answers.append(len(stray.recv_multipart()))
        return len(answers) == 3

    until(answered)
    assert answers == [1, 1, 2]


@pytest.fixture
def feed(bus_dir: Path) -> Iterator[Publisher]:
    """A publisher whose thread answers for its last messages, as the feed's main thread does."""
    publisher = Publisher(bus_dir, "feed", 4)
    over = threading.Event()

    def answer() -> None:
        while not over.is_set():
            if publisher.snapshots.poll(5):
                publisher.answer_snapshots()
        publisher.close()

    thread = threading.Thread(target=answer)
    thread.start()
    yield publisher
    over.set()
    thread.join()


def test_the_newest_quote_is_read_and_none_before_it(bus_dir: Path, opened: Keep, feed: Publisher) -> None:
    """The last of many, of exactly the instruments wanted, in the order asked; one without a quote is absent."""
    latest = opened(LatestQuotes(bus_dir, wait_ms=2000))
    for number in range(1, 1001):
        feed.publish(quote(number))
        feed.publish(quote(-number, "B"))
        feed.publish(quote(number, "AB"))
    until(lambda: latest.read(["B", "A", "C"]) == (quote(-1000, "B"), quote(1000)))
    feed.publish(quote(7))
    assert latest.read(["A"]) == (quote(7),)


def test_books_are_absent_while_the_feed_is_away_and_come_back_with_it(bus_dir: Path, opened: Keep) -> None:
    """Without a feed nobody waits; a feed that does not answer in time gives no quote; its late answer is passed over."""
    latest = opened(LatestQuotes(bus_dir, wait_ms=1))
    assert latest.read(["A"]) == ()
    publisher = opened(Publisher(bus_dir, "feed", 4))
    publisher.publish(quote(1))
    asked = []

    def reached() -> bool:
        asked.append(latest.read(["A"]))
        return bool(publisher.snapshots.poll(0))

    until(reached)
    assert set(asked) == {()}
    publisher.answer_snapshots()
    publisher.publish(quote(2))

    answering = threading.Event()

    def answer() -> None:
        while not answering.is_set():
            if publisher.snapshots.poll(1):
                publisher.answer_snapshots()

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        found = until(lambda: latest.read(["A"]))
    finally:
        answering.set()
        thread.join()
    assert found == (quote(2),)


def test_an_intent_with_nobody_there_is_not_sent(bus_dir: Path, opened: Keep) -> None:
    """It is refused at once instead of waiting for an execution that comes later."""
    sender = opened(IntentSender(bus_dir, 10))
    assert not sender.send(intent())
    receiver = opened(IntentReceiver(bus_dir, 10))
    until(lambda: sender.send(intent("I2")))
    assert until(receiver.receive) == intent("I2")
    assert receiver.receive() is None


def test_an_intent_before_a_full_queue_is_not_sent(bus_dir: Path, opened: Keep) -> None:
    """When execution does not take them the sender is told, and does not wait."""
    receiver = opened(IntentReceiver(bus_dir, 1))
    sender = opened(IntentSender(bus_dir, 1))
    until(lambda: sender.send(intent()))
    sent = 1
    while sender.send(intent("x" * 100_000)):
        sent += 1
        assert sent < 100_000, "the queue has no end"
    assert not sender.send(intent())
    assert until(receiver.receive) == intent()


def test_intents_do_not_outlive_their_receiver(bus_dir: Path, opened: Keep) -> None:
    """After execution's end an intent is refused again, not kept for its successor."""
    receiver = IntentReceiver(bus_dir, 10)
    sender = opened(IntentSender(bus_dir, 10))
    until(lambda: sender.send(intent()))
    receiver.close()
    until(lambda: not sender.send(intent("late")))


def test_a_command_is_answered_to_whom_it_came_from(bus_dir: Path, opened: Keep) -> None:
    """Two clients get each its own answer."""
    server = opened(CommandServer(bus_dir))
    clients = [opened(CommandClient(bus_dir)) for _ in range(2)]
    answers: dict[int, object] = {}
    threads = [
        threading.Thread(target=lambda n=n: answers.update({n: clients[n].ask(command(f"C{n}"), 10 * SECOND)}))
        for n in range(2)
    ]
    for thread in threads:
        thread.start()
    asked = [until(server.receive) for _ in range(2)]
    for identity, given in reversed(asked):
        server.answer(identity, CommandAnswered(given.command_id, done=True, text="armed"))
    for thread in threads:
        thread.join()
    assert answers == {n: CommandAnswered(f"C{n}", done=True, text="armed") for n in range(2)}
    assert server.receive() is None


def test_no_answer_in_time_is_none_and_the_late_one_is_passed_over(bus_dir: Path, opened: Keep) -> None:
    """The answer to a command that was given up is not taken for that of the next."""
    server = opened(CommandServer(bus_dir))
    client = opened(CommandClient(bus_dir))
    assert client.ask(command("C1"), SECOND // 100) is None
    identity, _ = until(server.receive)
    server.answer(identity, CommandAnswered("C1", done=True, text="late"))
    server.answer(identity, status())
    server.answer(identity, CommandAnswered("C2", done=False, text="no"))
    assert client.ask(command("C2"), 10 * SECOND) == CommandAnswered("C2", done=False, text="no")


def test_a_status_is_an_answer_to_its_command(bus_dir: Path, opened: Keep) -> None:
    """Execution answers the verb STATUS with its status, which names no command."""
    server = opened(CommandServer(bus_dir))
    client = opened(CommandClient(bus_dir))
    client.send(command("C1", Verb.STATUS))
    identity, given = until(server.receive)
    assert given.verb is Verb.STATUS
    server.answer(identity, status(7))
    assert until(client.receive) == status(7)
    assert client.receive() is None


def test_what_is_no_command_is_answered_with_a_no(bus_dir: Path, opened: Keep) -> None:
    """Bad bytes end nothing, and the command behind them is heard."""
    server = opened(CommandServer(bus_dir))
    client = opened(CommandClient(bus_dir))
    client.socket.send(b"\xc1")
    client.socket.send_multipart([b"a", b"b"])
    client.send(command("C3"))
    identity, given = until(server.receive)
    assert given == command("C3")
    server.answer(identity, CommandAnswered("C3", done=True, text=""))
    answers = [until(client.receive) for _ in range(3)]
    assert [(one.command_id, one.done) for one in answers] == [("", False), ("", False), ("C3", True)]
    assert all(one.text.startswith("not a command: ") for one in answers[:2])


def test_commands_with_nobody_there_do_not_wait(bus_dir: Path, opened: Keep) -> None:
    """A client of a dead process gets no answer within its time, however often it asks."""
    client = opened(CommandClient(bus_dir))
    for number in range(3000):
        client.send(command(f"C{number}"))
    assert client.ask(command(), 1_000_000) is None
