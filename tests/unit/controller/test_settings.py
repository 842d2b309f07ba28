"""Settings from the environment."""

from pathlib import Path

import pytest

from sealcluster.controller.settings import Settings
from sealcluster.core.errors import TerminalError


def test_nothing_set_is_a_pod_that_watches_everything() -> None:
    settings = Settings.from_environment({"PATH": "/bin"})
    assert (settings.namespaces, settings.kubeconfig, settings.log_format) == ((), None, "json")
    assert settings.instance


def test_everything_set() -> None:
    environment = {
        "SEALCLUSTER_NAMESPACES": "a, b,",
        "SEALCLUSTER_KUBECONFIG": "/k",
        "SEALCLUSTER_LISTEN_PORT": "0",
        "SEALCLUSTER_LOG_LEVEL": "DEBUG",
        "SEALCLUSTER_EXIT_SECONDS": "2.5",
        "SEALCLUSTER_INSTANCE": "pod-a",
        "SEALCLUSTER_INSECURE_REGISTRIES": "10.0.0.1:5000",
    }
    settings = Settings.from_environment(environment)
    assert (settings.namespaces, settings.kubeconfig, settings.listen_port) == (("a", "b"), Path("/k"), 0)
    assert (settings.log_level, settings.exit_seconds, settings.instance) == ("DEBUG", 2.5, "pod-a")
    assert settings.insecure_registries == ("10.0.0.1:5000",)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SEALCLUSTER_LOG_FORMAT", "xml"),
        ("SEALCLUSTER_LOG_LEVEL", "loud"),
        ("SEALCLUSTER_LISTEN_PORT", "http"),
        ("SEALCLUSTER_LISTEN_PORT", "70000"),
        ("SEALCLUSTER_EXIT_SECONDS", "soon"),
        ("SEALCLUSTER_NAMESPACE", "a"),
    ],
)
def test_a_wrong_setting_is_named(variable: str, value: str) -> None:
    with pytest.raises(TerminalError, match=variable):
        Settings.from_environment({variable: value})


def test_variables_that_kubernetes_makes_for_services_are_no_settings() -> None:
    made = {
        "SEALCLUSTER_SERVICE_HOST": "10.0.0.1",
        "SEALCLUSTER_SERVICE_PORT": "80",
        "SEALCLUSTER_SERVICE_PORT_HTTP": "80",
        "SEALCLUSTER_PORT": "tcp://10.0.0.1:80",
        "SEALCLUSTER_METRICS_PORT_80_TCP_ADDR": "10.0.0.1",
    }
    assert Settings.from_environment(made) == Settings()
