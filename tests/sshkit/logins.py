"""A user's key, and how tests log in with it to a server of `inprocess`."""

import asyncio

import asyncssh

from sealcluster.core.ports import Credentials, HostKeyPolicy, HostTarget

USER = asyncssh.generate_private_key("ssh-ed25519")
PRIVATE = USER.export_private_key().decode()
PUBLIC = USER.export_public_key().decode()
TOFU = HostKeyPolicy(trust_on_first_use=True)


def target(server, credentials=None, keys=None, **more):
    given = credentials or Credentials(private_key=PRIVATE)
    return HostTarget("h1", "127.0.0.1", server.port, given, keys or HostKeyPolicy(pinned=server.public), **more)


async def eventually(condition, seconds=10):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 -- the server has no event for it
            await asyncio.sleep(0.01)


async def say(connection, script="echo hello", stdin=b""):
    return await connection.execute(script, stdin, within=20, doing="saying hello")
