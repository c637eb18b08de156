"""Rows on their way: batches, refusals, lost answers, and what is said of each row."""

from __future__ import annotations

from collections import Counter

import pytest

from sqlprovider.config import Settings
from sqlprovider.errors import BackendError, Error, IntegrityError, StatementInterrupted, TransportError
from tests.vtab.boxes import (
    BOXES,
    Fault,
    Shelf,
    answered,
    garbled,
    lost_after,
    lost_before,
    refused,
    timed_out,
)
from tests.vtab.world import Asked, MakeWorld, World

ONE = "INSERT INTO p.s.boxes (shelf, boxId, label) VALUES ('s', 'a', 'A')"
SIX = "INSERT INTO p.s.boxes (shelf, boxId, label, size) VALUES " + ", ".join(
    f"('s', 'b{n}', 'L{n}', {n})" for n in range(6)
)


def writes(world: World) -> list[str]:
    return [line.partition(" {")[0] for line in world.lines if not line.startswith("GET")]


def states(world: World) -> list[object]:
    return [row["state"] for row in world.last_write]


def test_rows_go_out_in_batches_and_answers_find_their_rows(make_world: MakeWorld) -> None:
    shelf = Shelf()
    world = make_world(BOXES, shelf.routes)
    rows = world.run(f"{SIX} RETURNING id, label, etag")
    assert sorted(rows) == [(f"b{n}", f"L{n}", f"b{n}0") for n in range(6)]
    assert writes(world) == ["POST /shelves/s/boxes:many"] * 2
    assert (world.rowcount, shelf.made, set(states(world))) == (6, 6, {"accepted"})
    assert '{"boxes":[{"id":"b0","place":"on s","box":{"label":"L0","size":0}}' in " ".join(world.lines)


def test_one_row_goes_out_by_its_own_method(make_world: MakeWorld) -> None:
    world = make_world(BOXES, Shelf().routes)
    world.run(ONE)
    assert writes(world) == ["POST /shelves/s/boxes?boxId=a"]


def test_two_rows_of_one_key_are_refused_before_anything_is_sent(make_world: MakeWorld) -> None:
    world = make_world(BOXES, Shelf().routes)
    with pytest.raises(IntegrityError, match="two rows have the key shelf=s, id=a"):
        world.run("INSERT INTO p.s.boxes (shelf, boxId) VALUES ('s', 'a'), ('s', 'b'), ('s', 'a')")
    assert world.lines == []


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        pytest.param(
            ("b2", "size", -1),
            ["accepted", "accepted", "failed", "not_tried", "accepted", "accepted"],
            id="the answer names the row",
        ),
        pytest.param(
            ("b2", "id", "taken"),
            ["accepted", "accepted", "failed", "not_tried", "accepted", "accepted"],
            id="halved until it stands alone",
        ),
    ],
)
def test_an_atomic_batch_that_is_refused_leaves_the_bad_row_alone(
    make_world: MakeWorld, bad: tuple[str, str, object], expected: list[str]
) -> None:
    shelf = Shelf()
    shelf.put("taken")
    world = make_world(BOXES, shelf.routes)
    _, column, value = bad
    sql = SIX.replace("'b2', 'L2', 2", f"'b2', 'L2', {value}" if column == "size" else f"'{value}', 'L2', 2")
    with pytest.raises(Error, match="row 3 of 6"):
        world.run(sql)
    assert states(world) == expected
    assert shelf.made == 4


def test_on_error_continue_goes_on_and_is_an_error_still(make_world: MakeWorld) -> None:
    shelf = Shelf()
    world = make_world(BOXES, shelf.routes, settings=Settings(on_error="continue"))
    with pytest.raises(BackendError, match=r"row 3 of 6 .* after 5 accepted and with 0 not tried"):
        world.run(SIX.replace("'L2', 2", "'L2', -1"))
    assert Counter(states(world)) == {"accepted": 5, "failed": 1}
    again = [row["input_row"] for row in world.last_write if row["state"] == "failed"]
    assert again == ['{"shelf":"s","boxId":"b2","label":"L2","size":-1}']


def test_a_denied_batch_is_not_taken_apart(make_world: MakeWorld) -> None:
    shelf = Shelf(faults=[answered(403, done=False)])
    world = make_world(BOXES, shelf.routes)
    with pytest.raises(Error, match="403"):
        world.run(SIX.partition(", ('s', 'b4'")[0])
    assert (states(world), len(writes(world))) == (["failed"] * 4, 1)


@pytest.mark.parametrize(
    ("fault", "made"),
    [
        pytest.param(lost_after, 6, id="done, and the connection lost"),
        pytest.param(lost_before, 6, id="not done, and the connection lost"),
        pytest.param(timed_out, 6, id="not done, and no answer in time"),
        pytest.param(answered(500, done=True), 6, id="done, and a 500"),
        pytest.param(answered(503, done=False), 6, id="not done, and a 503"),
        pytest.param(garbled, 6, id="done, and not JSON"),
    ],
)
def test_a_lost_batch_of_chosen_ids_is_looked_at_and_what_is_missing_is_sent_again(
    make_world: MakeWorld, fault: Fault, made: int
) -> None:
    shelf = Shelf(faults=[fault])
    world = make_world(BOXES, shelf.routes)
    world.run(SIX)
    assert (world.rowcount, shelf.made, set(states(world))) == (6, made, {"accepted"})


@pytest.mark.parametrize(
    "fault",
    [lost_after, lost_before, timed_out, answered(500, done=True), answered(502, done=False), garbled],
)
def test_a_lost_insert_of_a_chosen_id_is_made_once(make_world: MakeWorld, fault: Fault) -> None:
    shelf = Shelf(faults=[fault])
    world = make_world(BOXES, shelf.routes)
    world.run(ONE)
    assert (world.rowcount, shelf.made, states(world)) == (1, 1, ["accepted"])


def test_a_row_that_was_there_before_is_not_taken_for_the_one_that_was_sent(make_world: MakeWorld) -> None:
    shelf = Shelf(faults=[lost_before])
    shelf.put("a", size=7)
    shelf.boxes["a"]["label"] = "another"
    world = make_world(BOXES, shelf.routes)
    with pytest.raises(
        IntegrityError, match="there is a row of that id already, and it is not what was sent"
    ):
        world.run(ONE)
    assert states(world) == ["failed"]


@pytest.mark.parametrize(
    ("faults", "state", "size"),
    [
        pytest.param([lost_after], "accepted", 5, id="done"),
        pytest.param([lost_before], "accepted", 5, id="not done, and sent again with the etag"),
        pytest.param([lost_before] * 3, "failed", 1, id="never done"),
        pytest.param([timed_out] * 3, "unknown", 1, id="never an answer"),
        pytest.param([answered(500, done=True)], "accepted", 5, id="done, and a 500"),
        pytest.param([garbled], "accepted", 5, id="done, and not JSON"),
    ],
)
def test_a_lost_update_is_settled_by_a_look(
    make_world: MakeWorld, faults: list[Fault | None], state: str, size: int
) -> None:
    shelf = Shelf(faults=faults)
    shelf.put("a", size=1)
    world = make_world(BOXES, shelf.routes)
    sql = "UPDATE p.s.boxes SET size = 5 WHERE shelf = 's' AND label = 'A'"
    if state == "accepted":
        world.run(sql)
    else:
        with pytest.raises(Error):
            world.run(sql)
    assert (states(world), shelf.boxes["a"]["size"]) == ([state], size)


@pytest.mark.parametrize(
    ("faults", "state", "left"),
    [
        pytest.param([lost_after], "accepted", 0, id="done"),
        pytest.param([lost_before], "accepted", 0, id="not done, and sent again"),
        pytest.param([timed_out], "accepted", 0, id="no answer in time, and sent again"),
        pytest.param([lost_before] * 3, "failed", 1, id="never done"),
        pytest.param([timed_out] * 3, "unknown", 1, id="never an answer"),
    ],
)
def test_a_lost_delete_is_settled_by_a_look(
    make_world: MakeWorld, faults: list[Fault | None], state: str, left: int
) -> None:
    shelf = Shelf(faults=faults)
    shelf.put("a")
    world = make_world(BOXES, shelf.routes)
    sql = "DELETE FROM p.s.boxes WHERE shelf = 's' AND label = 'A'"
    if state == "accepted":
        world.run(sql)
    else:
        with pytest.raises(TransportError):
            world.run(sql)
    assert (states(world), len(shelf.boxes)) == ([state], left)


def test_many_rows_are_deleted_together_and_one_that_is_gone_is_no_row(make_world: MakeWorld) -> None:
    shelf = Shelf()
    shelf.put("a", "b", "c", "d")
    world = make_world(BOXES, shelf.routes)
    world.run("DELETE FROM p.s.boxes WHERE shelf = 's' AND id IN ('a', 'b', 'gone', 'c', 'd')")
    assert (shelf.boxes, world.rowcount, states(world)) == ({}, 4, ["accepted"] * 4)


def test_a_changed_row_is_read_once_more_and_still_set_where_nobody_set_the_same(
    make_world: MakeWorld,
) -> None:
    def meddle(asked: Asked, act: object) -> object:
        shelf.boxes["a"] |= {"label": "by another", "etag": "a1"}
        return refused(412, "stale", "the etag is not the box's")

    shelf = Shelf(faults=[meddle])
    shelf.put("a", size=1)
    world = make_world(BOXES, shelf.routes)
    world.run("UPDATE p.s.boxes SET size = size + 1 WHERE shelf = 's' AND size = 1")
    assert (states(world), shelf.boxes["a"]["size"], shelf.boxes["a"]["label"]) == (
        ["accepted"],
        2,
        "by another",
    )


def test_a_row_whose_column_somebody_else_set_is_an_error_with_both_values(make_world: MakeWorld) -> None:
    def meddle(asked: Asked, act: object) -> object:
        shelf.boxes["a"] |= {"size": 9, "etag": "a1"}
        return refused(412, "stale", "the etag is not the box's")

    shelf = Shelf(faults=[meddle])
    shelf.put("a", size=1)
    world = make_world(BOXES, shelf.routes)
    with pytest.raises(IntegrityError, match="size was 1 when it was read, is 9 now, and was to become 5"):
        world.run("UPDATE p.s.boxes SET size = 5 WHERE shelf = 's' AND size = 1")
    assert (states(world), shelf.boxes["a"]["size"]) == (["failed"], 9)


def test_an_etag_that_the_user_gives_is_final(make_world: MakeWorld) -> None:
    def meddle(asked: Asked, act: object) -> object:
        shelf.boxes["a"]["etag"] = "a1"
        return refused(412, "stale", "the etag is not the box's")

    shelf = Shelf(faults=[meddle])
    shelf.put("a", size=1)
    world = make_world(BOXES, shelf.routes)
    with pytest.raises(IntegrityError, match="412 stale"):
        world.run("UPDATE p.s.boxes SET size = 5 WHERE shelf = 's' AND id = 'a' AND etag = 'a0'")
    assert len(writes(world)) == 1


def test_only_what_differs_is_sent_and_a_row_that_is_so_already_sends_nothing(make_world: MakeWorld) -> None:
    shelf = Shelf()
    shelf.put("a", size=1)
    shelf.put("b", size=2)
    world = make_world(BOXES, shelf.routes)
    world.run("UPDATE p.s.boxes SET size = 2, label = label WHERE shelf = 's' AND label LIKE '%'")
    assert [line for line in world.lines if line.startswith("PATCH")] == [
        'PATCH /shelves/s/boxes/a {"etag":"a0","size":2}'
    ]
    assert world.rowcount == 2


def test_ctrl_c_stops_what_is_not_sent(make_world: MakeWorld) -> None:
    def press(asked: Asked, act: object) -> object:
        raise KeyboardInterrupt

    shelf = Shelf(faults=[press])
    world = make_world(BOXES, shelf.routes)
    with pytest.raises(StatementInterrupted):
        world.run(ONE)
    assert states(world) == ["unknown"]
