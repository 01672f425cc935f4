"""The profiles over HTTP: what `voice-ime profile` does, for programs and from the console.

Every answer about a profile carries its revision as ETag; a change with If-Match is refused if somebody was quicker.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from voice_ime.engine.base import Engine
from voice_ime.errors import BadRequest, EntryNotFound, RequestTooLarge, WrongDate, WrongName
from voice_ime.messages import Messages
from voice_ime.personalize.ability import Abilities
from voice_ime.personalize.formats import merge
from voice_ime.personalize.formats.base import MOST_BYTES, Unfit, entry_of, preferences_of, rule_of
from voice_ime.personalize.formats.reasons import reason, wrong_value
from voice_ime.personalize.formats.table import format_named, read, too_large
from voice_ime.personalize.learn import Learned
from voice_ime.personalize.profile import Entry, Kind, Lesson, Preferences, Profile, Rule, Source
from voice_ime.personalize.removing import removal
from voice_ime.server.http import body_of, json_of, messages_of, number_in, refuse_others, truth_in
from voice_ime.server.people import People
from voice_ime.store.base import Author, Change, Put, Remove, retried, revision_row

PATH = "/v1/profiles"
MOST_BODY = 65_536
"""Bytes of a request that brings one thing."""
USUAL_PAGE, LONGEST_PAGE = 100, 1000
"""Entries, rules or revisions in one answer."""
MOST_CHANGES = 100
"""Changes of one revision that the log spells out."""
MOST_LINES_TOLD = 1000
"""Lines of an import that are told one by one, beside those that are refused: all of them."""
VIA = "rest"

T = TypeVar("T")


def profiles_router(people: People, engine: Engine, route: type[Any]) -> APIRouter:
    """`route`: the class of its routes, which lets in who may."""
    api = _Api(people, engine)
    router = APIRouter(prefix=PATH, route_class=route)
    one = "/{name}"
    for method, path, handle in (
        ("GET", "", api.all),
        ("POST", "", api.create),
        ("GET", one, api.get),
        ("DELETE", one, api.delete),
        ("GET", f"{one}/entries", api.entries),
        ("POST", f"{one}/entries", api.add_entry),
        ("GET", f"{one}/entries/{{id}}", api.entry),
        ("PUT", f"{one}/entries/{{id}}", api.put_entry),
        ("DELETE", f"{one}/entries/{{id}}", api.remove_entry),
        ("GET", f"{one}/rules", api.rules),
        ("POST", f"{one}/rules", api.add_rule),
        ("GET", f"{one}/rules/{{id}}", api.rule),
        ("PUT", f"{one}/rules/{{id}}", api.put_rule),
        ("DELETE", f"{one}/rules/{{id}}", api.remove_rule),
        ("GET", f"{one}/lessons", api.lessons),
        ("POST", f"{one}/lessons/{{id}}/accept", api.accept_lesson),
        ("POST", f"{one}/lessons/{{id}}/forget", api.forget_lesson),
        ("GET", f"{one}/preferences", api.preferences),
        ("PUT", f"{one}/preferences", api.put_preferences),
        ("POST", f"{one}/import", api.import_list),
        ("GET", f"{one}/export", api.export),
        ("GET", f"{one}/log", api.log),
        ("POST", f"{one}/undo", api.undo),
    ):
        router.add_api_route(path, handle, methods=[method], response_model=None)
    refuse_others(router)
    return router


class _Api:
    def __init__(self, people: People, engine: Engine) -> None:
        self._store = people.store
        self._profiles = people.profiles
        self._learner = people.learner
        self._pronouncer = people.pronouncer
        self._abilities = Abilities(engine)

    # --- profiles ---

    async def all(self, request: Request) -> Response:
        summaries = await run_in_threadpool(self._store.profiles)
        return JSONResponse({"profiles": [asdict(each) for each in summaries]})

    async def create(self, request: Request) -> Response:
        body = await json_of(request, MOST_BODY)
        name = body.get("name")
        if not isinstance(name, str):
            raise WrongName()
        await run_in_threadpool(self._store.create, name)
        return _answer({"name": name, "revision": 0}, 0, status=201)

    async def get(self, request: Request, name: str) -> Response:
        profile = await self._current(name)
        if _is_known(request, profile.revision):
            return Response(status_code=304, headers=_tag(profile.revision))
        text = await run_in_threadpool(profile.model_dump_json)
        return Response(text, media_type="application/json", headers=_tag(profile.revision))

    async def delete(self, request: Request, name: str) -> Response:
        await run_in_threadpool(self._store.delete, name, request.query_params.get("confirm", ""))
        return Response(status_code=204)

    # --- entries, rules, preferences ---

    async def entries(self, request: Request, name: str) -> Response:
        profile = await self._current(name)
        words = request.query_params.get("find", "").casefold()
        found = [entry for entry in profile.entries if words in entry.written.casefold()]
        page = _page(request, found)
        body = {
            "entries": [_row(entry) for entry in page],
            "abilities": await run_in_threadpool(self._abilities_of, page, profile.preferences),
            "count": len(found),
        }
        return _answer(body, profile.revision)

    async def rules(self, request: Request, name: str) -> Response:
        profile = await self._current(name)
        words = request.query_params.get("find", "").casefold()
        found = [rule for rule in profile.rules if words in rule.heard.casefold()]
        return _answer({"rules": [_row(rule) for rule in _page(request, found)], "count": len(found)}, profile.revision)

    async def entry(self, request: Request, name: str, id: str) -> Response:
        profile = await self._current(name)
        entry = _named(profile, profile.entries, id)
        abilities = await run_in_threadpool(self._abilities_of, [entry], profile.preferences)
        body = {
            "entry": _row(entry),
            "ability": abilities[entry.id],
            "readings": await run_in_threadpool(self._pronouncer.readings, entry),
        }
        return _answer(body, profile.revision)

    async def rule(self, request: Request, name: str, id: str) -> Response:
        profile = await self._current(name)
        return _answer({"rule": _row(_named(profile, profile.rules, id))}, profile.revision)

    async def add_entry(self, request: Request, name: str) -> Response:
        return await self._put(request, name, entry_of, "entry")

    async def add_rule(self, request: Request, name: str) -> Response:
        return await self._put(request, name, rule_of, "rule")

    async def put_entry(self, request: Request, name: str, id: str) -> Response:
        profile = await self._current(name)
        return await self._put(request, name, entry_of, "entry", _named(profile, profile.entries, id))

    async def put_rule(self, request: Request, name: str, id: str) -> Response:
        profile = await self._current(name)
        return await self._put(request, name, rule_of, "rule", _named(profile, profile.rules, id))

    async def remove_entry(self, request: Request, name: str, id: str) -> Response:
        def changes() -> Sequence[Change]:
            return removal(self._profiles.current(name), id)

        return await self._remove(request, name, await run_in_threadpool(changes))

    async def remove_rule(self, request: Request, name: str, id: str) -> Response:
        return await self._remove(request, name, [Remove("rule", id)])

    async def lessons(self, request: Request, name: str) -> Response:
        profile = await self._current(name)
        page = _page(request, list(profile.lessons))
        return _answer({"lessons": [_row(each) for each in page], "count": len(profile.lessons)}, profile.revision)

    async def accept_lesson(self, request: Request, name: str, id: str) -> Response:
        return await self._settle(request, name, id, self._learner.accept)

    async def forget_lesson(self, request: Request, name: str, id: str) -> Response:
        return await self._settle(request, name, id, self._learner.forget)

    async def preferences(self, request: Request, name: str) -> Response:
        profile = await self._current(name)
        return _answer({"preferences": _row(profile.preferences)}, profile.revision)

    async def put_preferences(self, request: Request, name: str) -> Response:
        body = await json_of(request, MOST_BODY)
        try:
            preferences = preferences_of(body)
        except Unfit as error:
            raise wrong_value(error, messages_of(request)) from None
        revision = await self._apply(request, name, Put(preferences))
        return _answer({"preferences": _row(preferences)}, revision)

    # --- lists ---

    async def import_list(self, request: Request, name: str) -> Response:
        try:
            content = await body_of(request, MOST_BYTES)
        except RequestTooLarge:
            raise too_large() from None
        form = format_named(request.query_params.get("format", ""))
        keep_good, preview = truth_in(request, "keep_good"), truth_in(request, "preview")
        author = replace(_author(request), source=Source.IMPORT)
        expected, messages = _expected(request), messages_of(request)

        def work() -> dict[str, Any]:
            profile = self._profiles.current(name)
            before = profile.revision if expected is None else expected
            plan = merge.planned(profile, read(content, form), keep_good=keep_good)
            wanted = plan.changes and not preview
            revision = self._store.apply(name, plan.changes, author, before) if wanted else profile.revision
            facts = {"revision": revision, "changed": revision != before, "preview": preview}
            return {**facts, **_told(merge.report(plan, MOST_LINES_TOLD), messages)}

        body = await run_in_threadpool(retried, work) if expected is None else await run_in_threadpool(work)
        return _answer(body, body["revision"])

    async def export(self, request: Request, name: str) -> Response:
        form = format_named(request.query_params.get("format", "json"))
        profile = await self._current(name)
        text = await run_in_threadpool(form.write, profile)
        ending = form.endings[0] if form.endings else ".csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}{ending}"', **_tag(profile.revision)}
        return Response(text.encode(), media_type=f"{form.media_type}; charset=utf-8", headers=headers)

    # --- history ---

    async def log(self, request: Request, name: str) -> Response:
        limit = number_in(request, "limit", 20, LONGEST_PAGE)
        before = number_in(request, "before", None, 2**62)
        revisions = await run_in_threadpool(self._store.log, name, limit or 20, before, MOST_CHANGES)
        return JSONResponse({"revisions": [revision_row(each) for each in revisions]})

    async def undo(self, request: Request, name: str) -> Response:
        """Body: {"number": 7}, or {"since": a moment with its time zone, "only": a source or nothing}."""
        body = await json_of(request, MOST_BODY)
        author, expected = _author(request), _expected(request)
        number, since = body.get("number"), body.get("since")
        if (type(number) is int) == isinstance(since, str):
            raise BadRequest(detail="number, since")
        if isinstance(since, str):
            only = _source(body.get("only"))
            moment = _moment(since)
            undone = await run_in_threadpool(self._store.undo_since, name, moment, author, only, expected)
            return _answer(asdict(undone), undone.revision)
        assert isinstance(number, int)
        revision = await run_in_threadpool(self._store.undo, name, number, author, expected)
        return _answer({"revision": revision}, revision)

    # --- parts ---

    async def _current(self, name: str) -> Profile:
        return await run_in_threadpool(self._profiles.current, name)

    def _abilities_of(self, entries: Iterable[Entry], preferences: Preferences) -> dict[str, str]:
        """By id."""
        return {entry.id: self._abilities.of(entry, preferences).ability.value for entry in entries}

    async def _put(
        self,
        request: Request,
        name: str,
        make: Callable[[Mapping[str, Any]], Entry | Rule],
        key: Kind,
        old: Entry | Rule | None = None,
    ) -> Response:
        """In place of `old`, else as a new one. What a body does not say has its usual value."""
        body = await json_of(request, MOST_BODY)
        fields = {"source": _author(request).source if old is None else old.source, **body}
        fields.pop("id", None)
        if old is not None:
            fields["id"] = old.id
        try:
            value = make(fields)
        except Unfit as error:
            raise wrong_value(error, messages_of(request)) from None
        revision = await self._apply(request, name, Put(value))
        return _answer({key: _row(value)}, revision, status=201 if old is None else 200)

    async def _settle(
        self, request: Request, name: str, id: str, settle: Callable[[Profile, str], Learned]
    ) -> Response:
        """What becomes of a lesson, and of the entry that it concerns."""
        author, expected = _author(request), _expected(request)

        def work() -> int:
            profile = self._profiles.current(name)
            _named(profile, profile.lessons, id)
            changes = settle(profile, id).changes
            return self._store.apply(name, changes, author, profile.revision if expected is None else expected)

        revision = await run_in_threadpool(work)
        return _answer({}, revision)

    async def _remove(self, request: Request, name: str, changes: Sequence[Change]) -> Response:
        revision = await self._apply(request, name, *changes)
        return Response(status_code=204, headers=_tag(revision))

    async def _apply(self, request: Request, name: str, *changes: Change) -> int:
        return await run_in_threadpool(self._store.apply, name, changes, _author(request), _expected(request))


# --- requests --------------------------------------------------------------------------------------------------------


def _author(request: Request) -> Author:
    """Who is at work: `as=caretaker` in the query, else the person."""
    who = request.query_params.get("as", Source.PERSON.value)
    if who not in (Source.PERSON.value, Source.CARETAKER.value):
        raise BadRequest(detail="as")
    return Author(Source(who), VIA)


def _expected(request: Request) -> int | None:
    """The revision in If-Match; BadRequest."""
    text = request.headers.get("if-match", "*").removeprefix("W/").strip('"')
    if text == "*":
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadRequest(detail="If-Match")
    return int(text)


def _is_known(request: Request, revision: int) -> bool:
    return request.headers.get("if-none-match") == f'"{revision}"'


def _moment(text: str) -> datetime:
    """In UTC where no time zone is given. WrongDate."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise WrongDate() from None


def _source(value: object) -> Source | None:
    if value is None:
        return None
    for source in Source:
        if source.value == value:
            return source
    raise BadRequest(detail="only")


def _page(request: Request, found: list[T]) -> list[T]:
    limit = number_in(request, "limit", USUAL_PAGE, LONGEST_PAGE) or USUAL_PAGE
    after = number_in(request, "after", 0, 2**62, least=0) or 0
    return found[after : after + limit]


# --- answers ---------------------------------------------------------------------------------------------------------


def _told(report: dict[str, Any], messages: Messages) -> dict[str, Any]:
    """The report of an import, with a sentence for each line that was refused."""
    for line in report["refused"]:
        values = {key: value for key, value in line.items() if key not in ("line", "reason")}
        line["message"] = reason(messages, line["reason"], values)
    return report


def _named(profile: Profile, values: Iterable[T], id: str) -> T:
    for value in values:
        if getattr(value, "id", None) == id:
            return value
    raise EntryNotFound(profile=profile.name, id=id)


def _row(value: Entry | Rule | Lesson | Preferences) -> dict[str, Any]:
    return value.model_dump(mode="json")


def _tag(revision: int) -> dict[str, str]:
    return {"ETag": f'"{revision}"', "Cache-Control": "no-cache, private"}


def _answer(body: dict[str, Any], revision: int, status: int = 200) -> Response:
    return JSONResponse({**body, "revision": revision}, status_code=status, headers=_tag(revision))
