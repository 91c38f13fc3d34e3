"""Telling who listens that a run changed."""

import threading

from traindeck.runs.changes import Changes


def test_a_listener_hears_of_each_changed_run_once_in_order():
    changes, woken = Changes(), []
    with changes.listen(lambda: woken.append(1)) as listener:
        for run_id in (3, 1, 3, 2, 1):
            changes.publish(run_id)
        assert listener.take() == [3, 1, 2]
        assert listener.take() == []
    assert woken == [1]


def test_a_listener_for_one_run_hears_of_no_other():
    changes, woken = Changes(), []
    with changes.listen(lambda: woken.append(1), 2) as listener:
        changes.publish(1)
        assert (woken, listener.take()) == ([], [])
        changes.publish(2)
        assert (woken, listener.take()) == ([1], [2])


def test_a_listener_that_never_looks_holds_one_mark_for_each_run_however_often_they_change():
    changes = Changes()
    with changes.listen(lambda: None) as listener:
        for _ in range(500):
            for run_id in range(100):
                changes.publish(run_id)
        assert len(listener._changed) == 100


def test_whoever_stops_listening_is_forgotten():
    changes = Changes()
    with changes.listen(lambda: None):
        assert len(changes._listeners) == 1
    assert not changes._listeners


def test_closing_wakes_listeners_without_a_change():
    changes, woken = Changes(), []
    with changes.listen(lambda: woken.append(1)) as listener:
        changes.wake_all()
        assert (woken, listener.take()) == ([1], [])


def test_no_change_is_lost_between_many_threads():
    changes = Changes()
    seen: set[int] = set()
    with changes.listen(lambda: None) as listener:
        threads = [
            threading.Thread(target=lambda first=first: [changes.publish(first + n) for n in range(200)])
            for first in range(0, 1600, 200)
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            seen.update(listener.take())
        seen.update(listener.take())
    assert seen == set(range(1600))
