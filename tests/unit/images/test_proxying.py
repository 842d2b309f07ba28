"""Who is reached without the proxy."""

import pytest

from sealcluster.images.proxying import reached_directly


@pytest.mark.parametrize(
    ("host", "rule", "direct"),
    [
        ("registry.example", "registry.example", True),
        ("a.registry.example", "registry.example", True),
        ("a.registry.example", ".registry.example", True),
        ("Registry.Example", "registry.EXAMPLE", True),
        ("xregistry.example", "registry.example", False),
        ("example", "registry.example", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.9.9.9/8", True),
        ("110.1.2.3", "10.1.2.3", False),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("fd00::7", "fd00::/8", True),
        ("[fd00::7]", "fd00::/8", True),
        ("fd00::7", "10.0.0.0/8", False),
        ("registry.example", "10.0.0.0/8", False),
        ("10.1.2.3", ".3", False),
        ("registry.example", "", False),
        ("registry.example", ".", False),
        ("10.1.2.3", "", False),
        ("anything", "*", True),
    ],
)
def test_a_rule_holds_or_not(host, rule, direct):
    assert reached_directly(host, [rule]) is direct
    assert reached_directly(host, ["other.invalid", rule, "192.0.2.0/24"]) is direct


def test_without_rules_everything_goes_by_the_proxy():
    assert not reached_directly("registry.example", [])
