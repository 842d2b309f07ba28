"""What is kept of failed steps."""

import json

import pytest

from sealcluster.core.evidence import MAX_ENTRIES, MAX_OUTPUT, MAX_UNIT_LOG, Evidence, dumps, loads, remember


def entry(host="w1", step="join", **more):
    return Evidence(
        **{"phase": "join-nodes", "step": step, "reason": "KubeadmJoinFailed", "message": "no", "time": 1.0, "host": host, **more}
    )


def test_it_survives_its_text():
    entries = (entry(exit_code=3, output="a\nb", unit="kubelet", unit_log="c", hint="look", count=4),)
    assert loads(dumps(entries)) == entries


def test_the_newest_try_of_a_step_takes_the_place_of_the_one_before():
    known = remember(remember(remember((), entry(time=1.0)), entry("w2", time=2.0)), entry(time=3.0, count=2))
    assert [(e.host, e.time, e.count) for e in known] == [("w2", 2.0, 1), ("w1", 3.0, 2)]


def test_it_is_bounded():
    known = ()
    for number in range(3 * MAX_ENTRIES):
        known = remember(known, entry(f"w{number}", output=f"{number}\n" + "ä" * 79 + "\n" * 100_000, unit_log="x" * 50_000))
    assert len(known) == MAX_ENTRIES
    assert known[-1].host == f"w{3 * MAX_ENTRIES - 1}"
    assert all(len(e.output) <= MAX_OUTPUT + 5 and len(e.unit_log) <= MAX_UNIT_LOG + 5 for e in known)
    assert len(dumps(known).encode()) < 700_000


def test_a_long_output_keeps_its_end_and_whole_lines():
    text = "\n".join(f"line {number}" for number in range(5000))
    kept = remember((), entry(output=text))[0].output.splitlines()
    assert kept[0] == "[…]"
    assert kept[1].startswith("line ")
    assert kept[-1] == "line 4999"


def test_what_a_newer_release_adds_is_left_out():
    row = json.loads(dumps((entry(),)))
    row["entries"][0]["colour"] = "red"
    assert loads(json.dumps(row)) == (entry(),)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"entries": [1]}', '{"entries": [{}]}', '{"entries": null}'])
def test_what_is_no_evidence_says_so(text):
    with pytest.raises(ValueError, match=r".+"):
        loads(text)
