"""Events reach those who subscribed, in order, and one that fails stops no other."""

from offhook.events import EventBus, NotifyAnswered, RenderFailed

EVENT = RenderFailed(1, 7, "device.j2:3", 1000.0)


def test_handlers_are_called_at_once_in_the_order_in_which_they_subscribed() -> None:
    seen: list[str] = []
    bus = EventBus(lambda event, error: None)
    bus.subscribe(RenderFailed, lambda event: seen.append(f"first {event.revision}"))
    bus.subscribe(RenderFailed, lambda event: seen.append("second"))
    bus.subscribe(NotifyAnswered, lambda event: seen.append("another"))
    bus.publish(EVENT)
    assert seen == ["first 7", "second"]


def test_an_event_that_nobody_wants_goes_nowhere() -> None:
    EventBus(lambda event, error: None).publish(EVENT)


def test_a_handler_that_fails_is_reported_and_does_not_stop_the_others() -> None:
    problem = RuntimeError("no")
    reported: list[tuple[object, Exception]] = []
    seen: list[object] = []

    def fail(event: RenderFailed) -> None:
        raise problem

    bus = EventBus(lambda event, error: reported.append((event, error)))
    bus.subscribe(RenderFailed, fail)
    bus.subscribe(RenderFailed, seen.append)
    bus.publish(EVENT)
    assert reported == [(EVENT, problem)]
    assert seen == [EVENT]
