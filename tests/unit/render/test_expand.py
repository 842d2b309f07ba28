"""Variables in label texts and guest commands."""

import pytest

from sealcluster.render.expand import expand

ENV = {"NAME": "calico", "NAMES": "x", "registryDomain": "sealos.hub", "EMPTY": "", "LOOP": "$NAME", "dotted.name-1": "d"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("upgrade $(NAME) ${NAME} $NAME", "upgrade calico calico calico"),
        ("$NAMES $NAMEX", "x $NAMEX"),
        ("$HOME $1 $@ $(hostname) ${X:-y} $", "$HOME $1 $@ $(hostname) ${X:-y} $"),
        ("awk '{print $1}' $$NAME $$$NAME", "awk '{print $1}' $NAME $calico"),
        ("[$EMPTY] $LOOP", "[] $NAME"),
        ("$(registryDomain):5000 ${dotted.name-1}", "sealos.hub:5000 d"),
        ("${NAME", "${NAME"),
    ],
)
def test_expands_known_names_only(text: str, expected: str) -> None:
    assert expand(text, ENV) == expected
