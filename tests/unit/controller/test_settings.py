"""Settings from the environment."""

from pathlib import Path

import pytest

from sealcluster.compose import Adapters
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
        ("SEALCLUSTER_STORE_LIMIT", "much"),
        ("SEALCLUSTER_STORE_LIMIT", "0"),
        ("SEALCLUSTER_PROXY", "proxy.example:3128"),
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


@pytest.mark.parametrize(("text", "size"), [("1000", 1000), ("2k", 2000), ("40Gi", 40 << 30), ("1T", 10**12)])
def test_a_size(text: str, size: int) -> None:
    assert Settings.from_environment({"SEALCLUSTER_STORE_LIMIT": text}).store_limit == size


def test_the_password_of_a_proxy_is_never_shown() -> None:
    settings = Settings.from_environment({"SEALCLUSTER_PROXY": "http://me:hunter2@proxy.example:3128"})
    assert settings.proxy.endswith("3128")
    assert "hunter2" not in repr(settings)
    with pytest.raises(TerminalError) as caught:
        Settings.from_environment({"SEALCLUSTER_PROXY": "me:hunter2@proxy"})
    assert "hunter2" not in str(caught.value)


async def test_settings_of_images_reach_the_image_service(tmp_path: Path) -> None:
    adapters = Adapters(tmp_path, store_limit=5, proxy="http://proxy.example:3128", no_proxy=("registry.local", ".lan"))
    found = adapters.images._settings
    assert (found.store_limit, found.proxy, found.no_proxy) == (5, "http://proxy.example:3128", {"registry.local", ".lan"})
    await adapters.close()
