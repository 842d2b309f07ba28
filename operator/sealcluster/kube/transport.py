"""HTTP to one API server, on the REST and configuration layers of `kubernetes.aio` (the only file that imports it).

Its typed models are not used: they refuse answers of servers newer than themselves. With kopf loaded, these two layers cost 1 MiB.
"""

from __future__ import annotations

import asyncio
import base64
import tempfile
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.rest import RESTClientObject
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config, load_kube_config_from_dict

from sealcluster.core.errors import TerminalError
from sealcluster.kube.errors import Answer, Unavailable

USER_AGENT = "sealcluster"
ANSWER_LIMIT = 32 << 20
"""Bytes of one answer. The largest that we ask for is a page of Nodes, a tenth of that; the server may be a tenant's."""


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """Where the API server is and who we are there, for another client of the same process. Paths are of files; None: not used."""

    server: str
    ca_path: str | None
    certificate_path: str | None
    key_path: str | None
    authorization: str | None = field(repr=False)
    """``Bearer <token>`` as it is now; tokens of pods change every hour."""
    insecure: bool
    proxy: str | None


class Transport:
    """A connection pool with one client's identity; URLs may name any server that accepts it.

    Made by `from_file`, `from_text` or `in_cluster`; must be closed. Requests beyond the pool's size wait in line, and what they wait there is
    not the server's.
    """

    def __init__(self, configuration: Any) -> None:
        self._configuration = configuration
        session = configuration.client_session_kwargs or {}
        # the library would read the environment and ~/.netrc anew for each request, in a thread
        configuration.client_session_kwargs = {**session, "middlewares": (_stay_here,), "trust_env": False}
        self._rest: Any = RESTClientObject(configuration)
        self._turns = asyncio.Semaphore(configuration.connection_pool_maxsize)
        self._closed = False
        self.server: str = configuration.host.rstrip("/")

    @classmethod
    async def from_file(cls, path: Path | str | None = None, context: str | None = None) -> Transport:
        """Read a kubeconfig file (None: $KUBECONFIG or ~/.kube/config) and use `context` or its current one.

        Keys that stand inside it pass through files of mode 0600 in the temporary directory, removed when the process ends.
        """
        load: Any = load_kube_config
        return await _load(cls, f"reading kubeconfig {path or 'of the environment'}", load, config_file=path and str(path), context=context)

    @classmethod
    async def from_text(cls, text: str) -> Transport:
        """Use the current context of this kubeconfig, without any HTTP proxy of the environment: it is for machines that we reach ourselves.

        Its keys touch the disk only while they are loaded.
        """
        load: Any = load_kube_config_from_dict
        with tempfile.TemporaryDirectory(prefix="sealcluster-kube-") as directory:
            try:
                config = _externalised(yaml.safe_load(text), Path(directory))
            except (yaml.YAMLError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
                raise TerminalError(
                    f"reading kubeconfig: {type(error).__name__}", reason="StorageRefused", hint="it is not a kubeconfig"
                ) from error
            return await _load(cls, "reading kubeconfig", load, proxied=False, config_dict=config)

    @classmethod
    def in_cluster(cls) -> Transport:
        """Use the pod's ServiceAccount; its token is read again every minute."""
        configuration = Configuration()
        load: Any = load_incluster_config
        try:
            load(client_configuration=configuration)
        except ConfigException as error:
            raise TerminalError(
                f"reading the ServiceAccount of this pod: {error}", reason="StorageRefused", hint="outside of a cluster, give a kubeconfig"
            ) from error
        configuration.proxy = configuration.proxy or _proxy(configuration.host)
        return cls(configuration)

    async def request(
        self, method: str, url: str, *, doing: str, content_type: str = "application/json", body: Any = None, seconds: float = 30.0
    ) -> Answer:
        """Send one request, read the whole answer whatever its status. Raises Unavailable when none comes within `seconds`."""
        async with self._turns:
            return await self._request(method, url, doing, content_type, body, seconds)

    async def _request(self, method: str, url: str, doing: str, content_type: str, body: Any, seconds: float) -> Answer:
        headers = {"Content-Type": content_type, "Accept": "application/json", "User-Agent": USER_AGENT, **await self._authorization()}
        limits = aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, 10.0))
        closed = Unavailable(f"{doing}: the connections to {self.server} were closed meanwhile", again=False)
        if self._closed:
            raise closed  # the library would open new ones
        try:
            reply = await self._rest.request(method, url, headers=headers, body=body, _request_timeout=limits)
            try:
                return Answer(reply.status, await _body(reply.response, doing), {k.title(): v for k, v in reply.headers.items()})
            finally:
                reply.response.release()
        except aiohttp.ClientConnectorCertificateError as error:
            raise Unavailable(f"{doing}: the server's certificate is not valid: {error.certificate_error}", again=False) from error
        except TimeoutError as error:
            raise Unavailable(f"{doing}: no answer from {self.server} within {seconds:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"{doing}: {error or type(error).__name__}") from error
        except RuntimeError as error:
            if not self._closed:
                raise
            raise closed from error

    async def identity(self) -> ClientIdentity:
        """What another client needs; only for a transport whose keys are in files (`from_file`, `in_cluster`)."""
        config = self._configuration
        return ClientIdentity(
            server=self.server,
            ca_path=config.ssl_ca_cert,
            certificate_path=config.cert_file,
            key_path=config.key_file,
            authorization=(await self._authorization()).get("authorization"),
            insecure=not config.verify_ssl,
            proxy=config.proxy,
        )

    async def _authorization(self) -> dict[str, str]:
        return {setting["key"]: setting["value"] for setting in (await self._configuration.auth_settings()).values()}

    async def close(self) -> None:
        """Close all connections. Requests that somebody still sends are Unavailable."""
        self._closed = True
        await self._rest.close()


async def _stay_here(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """No API server redirects; one that does would choose whom we speak to from inside of the management cluster."""
    response = await send(request)
    if response.status in (301, 302, 303, 307, 308):
        response.close()
        raise aiohttp.ClientError("the server redirects, which no API server does")
    return response


async def _body(response: aiohttp.ClientResponse, doing: str) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > ANSWER_LIMIT:
            response.close()
            raise Unavailable(f"{doing}: the answer is longer than {ANSWER_LIMIT >> 20} MiB", answered=True, again=False)
    return bytes(body)


def _proxy(server: str) -> str | None:
    """What the environment wants for this server."""
    url = urllib.parse.urlsplit(server)
    if urllib.request.proxy_bypass(url.hostname or ""):
        return None
    return urllib.request.getproxies().get(url.scheme)


async def _load(cls: type[Transport], doing: str, load: Any, *, proxied: bool = True, **where: Any) -> Transport:
    configuration = Configuration()
    try:
        await load(client_configuration=configuration, **where)
        if proxied:
            configuration.proxy = configuration.proxy or _proxy(configuration.host)
        return await asyncio.to_thread(cls, configuration)
    except (ConfigException, OSError, ValueError, TypeError, AttributeError, KeyError, yaml.YAMLError) as error:
        said = str(error) if isinstance(error, ConfigException | OSError) else f"{type(error).__name__}: it is not a kubeconfig"
        raise TerminalError(f"{doing}: {said}", reason="StorageRefused", hint="check the file, its context and its certificates") from error


def _externalised(config: dict[str, Any], directory: Path) -> dict[str, Any]:
    """The kubeconfig with its `*-data` written to files: OpenSSL loads keys from nothing else, and the library's own way caches them."""
    for kind, entry in (("clusters", "cluster"), ("users", "user")):
        for number, item in enumerate(config[kind]):
            for key in [k for k in item[entry] if k.endswith("-data")]:
                file = directory / f"{entry}-{number}-{key}"
                file.touch(mode=0o600)
                file.write_bytes(base64.b64decode(item[entry].pop(key)))
                item[entry][key.removesuffix("-data")] = str(file)
    return config
