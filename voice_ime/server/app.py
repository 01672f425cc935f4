"""Where the server is put together."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from fastapi import FastAPI, WebSocket

from voice_ime import __version__
from voice_ime import protocol as wire
from voice_ime.dictation import formatting
from voice_ime.engine.base import Engine, Options
from voice_ime.engine.engines import Engines
from voice_ime.engine.listener import Detector, Listener
from voice_ime.engine.pool import Pool
from voice_ime.errors import LanguageNotSupported, ProfileNotFound
from voice_ime.personalize.profile import Preferences
from voice_ime.server.allowance import Allowance
from voice_ime.server.api import profiles_router
from voice_ime.server.auth import Gate
from voice_ime.server.dictate import Services, dictate, explain
from voice_ime.server.engines_api import engines_router
from voice_ime.server.garbage import sweep
from voice_ime.server.health import health_router
from voice_ime.server.hosts import KnownHosts
from voice_ime.server.http import guarded
from voice_ime.server.people import People
from voice_ime.server.sessions import Sessions
from voice_ime.server.stream import Stream
from voice_ime.session import Session
from voice_ime.settings import Settings
from voice_ime.store.base import Store

QUIET = 0.001
"""Share of the decoding threads' time: detection alone takes more, so nobody's sound comes in."""


def create_app(
    settings: Settings, engine: Engine, detector: Detector, token: str, store: Store | None = None
) -> FastAPI:
    """The server over a loaded engine; `Engines` can be changed while it runs. It closes neither engine, detector nor
    store.

    `store`: the profiles that it serves; None: none.
    """
    formatting.prepare()
    gate = Gate(token, settings.server.allowed_origins)
    people = None if store is None else People(engine, store)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pool = Pool(settings.engine.workers)
        try:
            async with asyncio.TaskGroup() as tasks:
                sessions = Sessions(
                    settings.server, lambda: pool.load, _stream_maker(settings, engine, detector, pool, people), tasks
                )
                app.state.services = Services(settings, gate, sessions, engine, people)
                sweeping = tasks.create_task(sweep(lambda: pool.load.busy < QUIET))
                yield
                sweeping.cancel()
                sessions.close()
        finally:
            pool.close()

    app = FastAPI(title="voice-ime", version=__version__, lifespan=lifespan, openapi_url=None)
    app.add_middleware(KnownHosts, host=settings.server.host)

    def sessions() -> Sessions:
        return cast(Services, app.state.services).sessions

    app.include_router(health_router(engine, sessions, tell_lateness=settings.server.tell_lateness))
    route = guarded(gate, Allowance(settings.server.max_requests_per_s))
    if people is not None:
        app.include_router(profiles_router(people, engine, route))
    if isinstance(engine, Engines):
        app.include_router(engines_router(engine, settings, lambda: sessions().languages, route))

    @app.websocket(wire.PATH)
    async def dictation(websocket: WebSocket) -> None:
        await dictate(websocket, app.state.services)

    return app


def _preferences(profile: str | None, people: People | None) -> Preferences:
    """Of the person who dictates. ProfileNotFound."""
    if profile is None:
        return Preferences()
    if people is None:
        raise ProfileNotFound(profile=profile)
    return people.preferences(profile)


def _stream_maker(
    settings: Settings, engine: Engine, detector: Detector, pool: Pool, people: People | None
) -> Callable[[wire.Hello], Stream]:
    def make(hello: wire.Hello) -> Stream:
        preferences = _preferences(hello.profile, people)
        known = engine.capabilities.languages
        if hello.language is not None and hello.language not in known:
            raise LanguageNotSupported(language=hello.language, engine=engine.capabilities.engine, known=known)
        listener = Listener(
            detector,
            engine if people is None else people.engine,
            Options(language=hello.language, profile=hello.profile),
            settings.speech,
            start_sample=hello.resume_from,
            endpoint_delay_s=hello.endpoint_delay_s or preferences.endpoint_delay_s,
            endpoints=hello.endpoints,
            partials=hello.partials,
        )
        session = Session(hello, settings.server.max_unkept_finals)
        return Stream(session, listener, pool, explain, people)

    return make
