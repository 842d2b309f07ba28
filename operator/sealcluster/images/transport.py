"""One HTTP request to a registry: TLS, proxy, redirects with care, logging in, and errors in our own words."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from sealcluster.images.challenge import Challenge, parse_challenges
from sealcluster.images.errors import ImageAuthFailed, ImageCorrupt, ImageNotFound, RegistryUnavailable, RegistryUntrusted
from sealcluster.images.manifest import load_json
from sealcluster.images.ownmachine import OwnMachine, is_own_machine, open_elsewhere
from sealcluster.images.proxying import reached_directly
from sealcluster.images.settings import ImageSettings

_REDIRECTS = 5
_MAX_TOKEN = 1 << 20
_MAX_ERROR = 16 << 10
_CODE = re.compile(rb'"code"\s*:\s*"([A-Z_]{1,40})"')
_HUB_HINT = "Docker Hub says so of repositories that do not exist, too"


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks for what: the credentials of one pull and the repository that they are used for."""

    host: str
    repository: str
    credentials: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def basic(self) -> str | None:
        """Value of an Authorization header."""
        if self.credentials is None:
            return None
        return "Basic " + base64.b64encode(":".join(self.credentials).encode()).decode()

    @property
    def key(self) -> tuple[str, str, str]:
        """Identifies the login without holding the password."""
        return self.host, self.repository, hashlib.sha256(repr(self.credentials).encode()).hexdigest()


class Transport:
    """Sends requests; holds connections and tokens."""

    def __init__(self, settings: ImageSettings) -> None:
        self._settings = settings
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        """By whether they may open connections to our own machine."""
        self._tokens: dict[tuple[str, str, str], tuple[str, float]] = {}

    async def close(self) -> None:
        """Close all connections."""
        while self._sessions:
            await self._sessions.popitem()[1].close()

    def _opened(self, url: URL, login: Login) -> aiohttp.ClientSession:
        """The connections for a request to `url`. What a name leads to is seen when they are opened, as what was resolved is connected to."""
        named = self._settings.own_machine and url.authority == login.host
        anywhere = named or url.authority in self._settings.plain_http or self._proxy(url) is not None  # a proxy looks names up by itself
        if anywhere not in self._sessions:
            context = ssl.create_default_context()
            if self._settings.extra_ca:
                context.load_verify_locations(cadata=self._settings.extra_ca)
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._settings.connect_timeout, sock_read=self._settings.read_timeout)
            self._sessions[anywhere] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=context, limit_per_host=8, socket_factory=None if anywhere else open_elsewhere),
                timeout=timeout,
                auto_decompress=False,  # digests are those of the bytes as stored
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "sealcluster", "Accept-Encoding": "identity"},
            )
        return self._sessions[anywhere]

    def url(self, host: str, path: str) -> URL:
        """URL of a path of a registry's API."""
        return URL(f"{'http' if host in self._settings.plain_http else 'https'}://{host}/v2/{path}", encoded=True)

    @asynccontextmanager
    async def request(
        self, method: str, url: URL, login: Login, headers: Mapping[str, str], what: str
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Yield the answer if its status is 200, 206 or 416; everything else is one of our errors."""
        if not self._settings.own_machine and login.host not in self._settings.plain_http and is_own_machine(url.host or ""):
            raise _own_machine(what, login.host)
        with _Translated(what, login.host):
            response = await self._send(method, url, login, headers, what)
            try:
                if response.status == 401:
                    challenges = parse_challenges(response.headers.getall("WWW-Authenticate", []))
                    response.release()
                    await self._log_in(challenges, login, what)
                    response = await self._send(method, url, login, headers, what)
                if response.status not in (200, 206, 416):
                    raise await self._refused(response, login, what)
                yield response
            finally:
                response.close()

    async def _send(self, method: str, url: URL, login: Login, headers: Mapping[str, str], what: str) -> aiohttp.ClientResponse:
        authorization, origin = self._authorization(login), url.origin()
        for _ in range(_REDIRECTS + 1):
            sent = dict(headers)
            if authorization and url.origin() == origin:
                sent["Authorization"] = authorization  # never to where a redirect leads
            response = await self._opened(url, login).request(method, url, headers=sent, allow_redirects=False, proxy=self._proxy(url))
            location = response.headers.get("Location")
            if response.status not in (301, 302, 303, 307, 308) or not location:
                return response
            response.release()
            url = self._redirected(url, location, login, what)
        raise RegistryUnavailable(f"pulling {what}: more than {_REDIRECTS} redirects")

    def _redirected(self, url: URL, location: str, login: Login, what: str) -> URL:
        """Where a registry sends us, if that is a place for us. A user may name any registry, so it must not lead us to our own machine."""
        try:
            target = url.join(URL(location, encoded=True))
            authority = target.authority
        except ValueError:
            raise RegistryUnavailable(f"pulling {what}: a redirect to nowhere") from None
        if target.scheme != "https" and not (target.scheme == "http" and authority in self._settings.plain_http):
            raise RegistryUntrusted(
                f"pulling {what}: {url.host} redirects to {target.scheme}://{authority}, which is not encrypted",
                hint="if that is meant, allow plain HTTP for this host in the operator's settings",
            )
        elsewhere = authority not in self._settings.plain_http and authority != login.host
        if target.user is not None or target.password is not None or (elsewhere and is_own_machine(target.host or "")):
            raise RegistryUntrusted(
                f"pulling {what}: {login.host} sends us to {target.host}, which is no place for images",
                hint="use another registry; one on this very address must be named in the reference itself",
            )
        return target

    def _authorization(self, login: Login) -> str | None:
        value, expires = self._tokens.get(login.key, ("", 0.0))
        return value if time.monotonic() < expires else None

    def _proxy(self, url: URL) -> str | None:
        if not self._settings.proxy or reached_directly(url.host or "", self._settings.no_proxy):
            return None
        return self._settings.proxy

    async def _log_in(self, challenges: list[Challenge], login: Login, what: str) -> None:
        schemes = {challenge.scheme: challenge.parameters for challenge in challenges}
        if "bearer" in schemes and "realm" in schemes["bearer"]:
            self._tokens[login.key] = await self._token(schemes["bearer"], login, what)
        elif "basic" in schemes and login.basic:
            self._tokens[login.key] = login.basic, time.monotonic() + 3_600
        else:
            raise self._denied(login, what)

    async def _token(self, parameters: Mapping[str, str], login: Login, what: str) -> tuple[str, float]:
        realm = self._redirected(URL("https://realm.invalid"), parameters["realm"], login, what)
        query = {"scope": parameters.get("scope") or f"repository:{login.repository}:pull"}
        if parameters.get("service"):
            query["service"] = parameters["service"]
        headers = {"Authorization": login.basic} if login.basic else {}
        async with self._opened(realm, login).get(
            realm.update_query(query), headers=headers, allow_redirects=False, proxy=self._proxy(realm)
        ) as response:
            if response.status in (400, 401, 403):
                raise self._denied(login, what)
            if response.status != 200:
                raise RegistryUnavailable(
                    f"pulling {what}: the token service {realm.host} answers {response.status}", delay=_delay(response)
                )
            document = load_json(await read_capped(response, _MAX_TOKEN, what), f"the token for {what}")
        token, lifetime = document.get("token") or document.get("access_token"), document.get("expires_in")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise ImageAuthFailed(f"pulling {what}: the token service {realm.host} sends no token")
        lifetime = lifetime if isinstance(lifetime, int) and 10 <= lifetime <= 86_400 else 60
        return f"Bearer {token}", time.monotonic() + lifetime * 0.8

    def _denied(self, login: Login, what: str) -> ImageAuthFailed:
        self._tokens.pop(login.key, None)
        if login.credentials is None:
            hint = "name a Secret of type kubernetes.io/dockerconfigjson for this registry in spec.pullSecretRefs"
            return ImageAuthFailed(f"pulling {what}: {login.host} wants credentials and there are none for it", hint=hint)
        hint = f"check the Secret in spec.pullSecretRefs; {_HUB_HINT}"
        return ImageAuthFailed(f"pulling {what}: {login.host} refuses the credentials", hint=hint)

    async def _refused(self, response: aiohttp.ClientResponse, login: Login, what: str) -> Exception:
        # Only a code in capitals is quoted: the answer may come from any host that a user can name.
        code = _CODE.search(await read_capped(response, _MAX_ERROR, what, cut=True))
        said = f"{response.status}" + (f" {code[1].decode()}" if code else "")
        if response.status in (401, 403):
            return self._denied(login, what)
        if response.status == 404:
            return ImageNotFound(f"pulling {what}: {login.host} does not have it ({said})", hint="check the name and the tag")
        if response.status in (408, 425, 429) or response.status >= 500:
            return RegistryUnavailable(f"pulling {what}: {login.host} answers {said}", delay=_delay(response))
        return ImageNotFound(f"pulling {what}: {login.host} answers {said}", hint="check that this is an image registry")


class _Translated:
    """Turns what aiohttp raises into our errors."""

    def __init__(self, what: str, host: str) -> None:
        self._what = what
        self._host = host

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, OwnMachine):
            raise _own_machine(self._what, error.host) from None
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            raise RegistryUntrusted(
                f"pulling {self._what}: the certificate of {self._host} is not trusted: {error.certificate_error}",
                hint="add the registry's CA to the operator's extra CA certificates",
            ) from None
        if isinstance(error, aiohttp.ClientSSLError):
            hint = "if the registry speaks plain HTTP, allow it for this host in the operator's settings"
            raise RegistryUnavailable(f"pulling {self._what}: no TLS with {self._host}", hint=hint) from None
        if isinstance(error, aiohttp.InvalidURL):
            raise ImageCorrupt(f"pulling {self._what}: {self._host} sends an address that is none") from None
        if isinstance(error, aiohttp.ClientError | TimeoutError | ConnectionError):
            cause = "no answer in time" if isinstance(error, TimeoutError) else _cause(error)
            raise RegistryUnavailable(f"pulling {self._what}: {self._host}: {cause}") from None


def _own_machine(what: str, host: str) -> RegistryUntrusted:
    return RegistryUntrusted(
        f"pulling {what}: {host} is an address of the operator's own machine",
        hint="name the registry by an address that it has on the network, or allow this one in the operator's settings",
    )


def _cause(error: BaseException) -> str:
    reason = getattr(error, "os_error", None)
    return str(reason or error or type(error).__name__)[:200]


def _delay(response: aiohttp.ClientResponse) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 5 else None


async def read_capped(response: aiohttp.ClientResponse, limit: int, what: str, *, cut: bool = False) -> bytes:
    """Read a body of at most `limit` bytes; a longer one is cut or refused."""
    chunks: list[bytes] = []
    total = 0
    async with asyncio.timeout(120):
        async for chunk in response.content.iter_chunked(64 << 10):
            total += len(chunk)
            chunks.append(chunk)
            if total > limit:
                if cut:
                    break
                raise ImageCorrupt(f"pulling {what}: an answer longer than {limit} bytes")
    return b"".join(chunks)[:limit]
