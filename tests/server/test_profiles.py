"""Profiles over HTTP: for those who know the token, whole or not at all, and each change can be taken back."""

import asyncio
import http.client
import json
import re
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.needs import needs_package
from tests.server.process import at_home, ended, first_line, run, serving
from tests.server.running import TOKEN, running_server, settings
from voice_ime.messages import Messages
from voice_ime.personalize.formats.base import MOST_BYTES
from voice_ime.personalize.profile import Rule
from voice_ime.store.base import Author, Change, Put

needs_package("fastapi")
needs_package("sqlalchemy")
needs_package("alembic")

from voice_ime.server.api import MOST_BODY  # noqa: E402
from voice_ime.store.sql import SqlStore  # noqa: E402

MARKER = "mandragora"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    @property
    def error(self) -> str:
        return str(self.body["error"]["code"])


@dataclass(frozen=True)
class Web:
    port: int
    token: str = TOKEN
    headers: dict[str, str] = field(default_factory=dict)

    async def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        return await asyncio.to_thread(self._ask, method, path, body, headers)

    def _ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            every = {"Authorization": f"Bearer {self.token}"} | self.headers | named
            connection.request(method, f"/v1/profiles{path}", content, every)
            response = connection.getresponse()
            lowered = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, lowered, response.read())
        finally:
            connection.close()


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    store = SqlStore(tmp_path / "profiles.sqlite")
    store.create("ann")
    async with running_server(store=store) as server:
        yield Web(server.port)
    store.close()


# --- entries, rules, preferences -------------------------------------------------------------------------------------


async def test_profiles_are_made_listed_and_deleted(web: Web) -> None:
    made = await web("POST", "", {"name": "bob"})
    assert (made.status, made.body) == (201, {"name": "bob", "revision": 0})
    assert [each["name"] for each in (await web("GET", "")).body["profiles"]] == ["ann", "bob", "default"]
    assert (await web("DELETE", "/bob")).error == "not_confirmed"
    assert (await web("DELETE", "/bob?confirm=bob")).status == 204
    assert (await web("GET", "/bob")).error == "profile_not_found"


async def test_an_entry_is_added_changed_and_removed(web: Web) -> None:
    added = await web("POST", "/ann/entries", {"written": "Kowalski", "sounds": [{"kind": "words", "text": "co val"}]})
    entry = added.body["entry"]
    assert (added.status, entry["written"], entry["source"]) == (201, "Kowalski", "person")
    changed = await web("PUT", f"/ann/entries/{entry['id']}", {**entry, "strength": "strong"})
    assert changed.body["entry"]["strength"] == "strong"
    got = await web("GET", f"/ann/entries/{entry['id']}")
    assert got.body["entry"] == changed.body["entry"]
    assert got.headers["etag"] == changed.headers["etag"] == f'"{changed.body["revision"]}"'
    assert (await web("DELETE", f"/ann/entries/{entry['id']}")).status == 204
    assert (await web("GET", f"/ann/entries/{entry['id']}")).error == "entry_not_found"


async def test_a_rule_and_the_preferences_are_kept(web: Web) -> None:
    rule = (await web("POST", "/ann/rules?as=caretaker", {"heard": "um", "write": ""})).body["rule"]
    assert rule["source"] == "caretaker"
    await web("PUT", f"/ann/rules/{rule['id']}", {"heard": "um", "write": "…"})
    assert (await web("GET", f"/ann/rules/{rule['id']}")).body["rule"]["write"] == "…"
    await web("PUT", "/ann/preferences", {"learn": False, "fuzzy": ["n/l"]})
    assert (await web("GET", "/ann/preferences")).body["preferences"]["fuzzy"] == ["n/l"]
    profile = (await web("GET", "/ann")).body
    assert (len(profile["rules"]), profile["preferences"]["learn"]) == (1, False)
    assert (await web("DELETE", f"/ann/rules/{rule['id']}")).status == 204


@pytest.mark.parametrize("wrong", [{"fuzzy": ["q/w"]}, {"endpoint_delay_s": "long"}, {"unknown": 1}])
async def test_preferences_that_cannot_be_are_refused(web: Web, wrong: dict[str, object]) -> None:
    said = await web("PUT", "/ann/preferences", wrong)
    assert (said.status, said.error) == (422, "wrong_value")


async def test_what_was_learned_is_accepted_or_forgotten(web: Web) -> None:
    lessons = [
        {"id": "a", "heard": "co walski", "written": "Kowalski", "language": "en", "state": "suggested", "times": 2},
        {"id": "b", "heard": "win", "written": "Nguyen", "language": "en"},
    ]
    await web("POST", "/ann/import?format=json", {"lessons": lessons})
    assert (await web("POST", "/ann/lessons/a/accept")).status == 200
    assert (await web("POST", "/ann/lessons/b/forget")).status == 200
    assert (await web("POST", "/ann/lessons/c/accept")).error == "entry_not_found"
    told = (await web("GET", "/ann/lessons")).body
    assert {each["id"]: each["state"] for each in told["lessons"]} == {"a": "active", "b": "quarantined"}
    assert [each["written"] for each in (await web("GET", "/ann/entries")).body["entries"]] == ["Kowalski"]


async def test_what_was_learned_for_an_entry_goes_with_it(web: Web) -> None:
    entry = {"id": "e", "written": "Kowalski", "sounds": [{"kind": "words", "text": "co walski"}]}
    lesson = {"id": "a", "heard": "co walski", "written": "Kowalski", "language": "en", "state": "active", "entry": "e"}
    body = json.dumps({"entries": [entry], "lessons": [lesson]}).encode()
    assert (await web("POST", "/ann/import?format=json", body)).body["changed"]
    assert (await web("DELETE", "/ann/entries/e")).status == 204
    assert (await web("GET", "/ann/lessons")).body["lessons"][0]["state"] == "demoted"
    await web("POST", "/ann/undo", {"number": 2})
    assert (await web("GET", "/ann/lessons")).body["lessons"][0]["state"] == "active"


async def test_long_lists_come_in_pages_with_what_the_engine_can_do(web: Web) -> None:
    await web("POST", "/ann/import?format=txt", "\n".join(f"word {n}" for n in range(30)).encode())
    page = (await web("GET", "/ann/entries?find=WORD%202&limit=4&after=2")).body
    assert page["count"] == 11
    assert [entry["written"] for entry in page["entries"]] == ["word 21", "word 22", "word 23", "word 24"]
    assert set(page["abilities"].values()) == {"text"}


async def test_a_change_thought_out_for_an_older_state_is_refused(web: Web) -> None:
    first = await web("POST", "/ann/entries", {"written": "a"})
    await web("POST", "/ann/entries", {"written": "b"})
    late = await web("POST", "/ann/entries", {"written": "c"}, If_Match=first.headers["etag"])
    assert (late.status, late.error) == (412, "outdated")
    now = (await web("GET", "/ann")).headers["etag"]
    assert (await web("POST", "/ann/entries", {"written": "c"}, If_Match=now)).status == 201


async def test_an_unchanged_profile_is_not_sent_again(web: Web) -> None:
    tag = (await web("GET", "/ann")).headers["etag"]
    same = await web("GET", "/ann", If_None_Match=tag)
    assert (same.status, same.content) == (304, b"")
    await web("POST", "/ann/entries", {"written": "a"})
    assert (await web("GET", "/ann", If_None_Match=tag)).status == 200


# --- lists and history -----------------------------------------------------------------------------------------------

LIST = b"written,sounds,language\nNguyen,win,en\nworf,,tlh\n"


async def test_an_import_is_previewed_reported_and_made(web: Web) -> None:
    preview = (await web("POST", "/ann/import?format=csv&preview=true&keep_good=true", LIST)).body
    assert (preview["added"], preview["changed"], preview["preview"]) == (1, False, True)
    refused = (await web("POST", "/ann/import?format=csv", LIST, Accept_Language="zh-CN")).body
    assert refused["changed"] is False
    assert refused["refused"] == [
        {"line": 3, "reason": "unknown_value", "field": "language", "message": "语言不是可用的值"}
    ]
    kept = (await web("POST", "/ann/import?format=csv&keep_good=true", LIST)).body
    assert kept["changed"] is True
    assert [each["source"] for each in (await web("GET", "/ann/entries")).body["entries"]] == ["import"]


class Hurried(SqlStore):
    """Somebody else is quicker, `others` times."""

    others = 0

    def apply(self, name: str, changes: Sequence[Change], author: Author, expected: int | None = None) -> int:
        if self.others and expected is not None:
            self.others -= 1
            super().apply(name, [Put(Rule(id="r", heard="um", write=str(self.others)))], author)
        return super().apply(name, changes, author, expected)


@pytest.mark.parametrize(("others", "added"), [(2, 1), (3, 0)])
async def test_an_import_finds_its_way_among_other_changes(tmp_path: Path, others: int, added: int) -> None:
    store = Hurried(tmp_path / "profiles.sqlite")
    store.create("ann")
    store.others = others
    async with running_server(store=store) as server:
        web = Web(server.port)
        answer = await web("POST", "/ann/import?format=txt", b"Kowalski\n")
        assert len((await web("GET", "/ann")).body["entries"]) == added
    assert answer.status == (200 if added else 412)
    store.close()


async def test_what_is_exported_makes_the_same_profile_again(web: Web) -> None:
    await web("POST", "/ann/import?format=csv&keep_good=true", LIST)
    await web("POST", "/ann/rules", {"heard": "um", "write": ""})
    out = await web("GET", "/ann/export?format=json")
    assert 'filename="ann.json"' in out.headers["content-disposition"]
    await web("POST", "", {"name": "bob"})
    await web("POST", "/bob/import?format=json", out.content)
    ann, bob = (await web("GET", "/ann")).body, (await web("GET", "/bob")).body
    assert (ann["entries"], ann["rules"]) == (bob["entries"], bob["rules"])
    assert (await web("GET", "/ann/export?format=csv")).content.decode("utf-8-sig").startswith("written,")


async def test_the_log_tells_what_was_done_and_it_is_undone(web: Web) -> None:
    first = (await web("POST", "/ann/entries", {"written": "a"})).body["revision"]
    await web("POST", "/ann/entries?as=caretaker", {"written": "b"})
    newest, oldest = (await web("GET", "/ann/log")).body["revisions"]
    assert (newest["source"], newest["via"], oldest["number"]) == ("caretaker", "rest", first)
    assert oldest["changes"][0]["after"]["written"] == "a"
    await web("POST", "/ann/undo", {"number": first})
    assert [each["written"] for each in (await web("GET", "/ann/entries")).body["entries"]] == ["b"]
    undone = (await web("POST", "/ann/undo", {"since": "2000-01-01T00:00:00Z", "only": "caretaker"})).body
    assert (undone["restored"], undone["kept"]) == (1, 0)
    assert (await web("GET", "/ann/entries")).body["count"] == 0
    assert len((await web("GET", f"/ann/log?limit=2&before={newest['number']}")).body["revisions"]) == 1


# --- who may, and how much -------------------------------------------------------------------------------------------


async def test_nobody_gets_anything_without_the_token_or_from_a_foreign_page(web: Web) -> None:
    stranger = Web(web.port, token="a-wrong-token")
    for method, path in (("GET", ""), ("GET", "/ann"), ("POST", "/ann/entries"), ("DELETE", "/ann?confirm=ann")):
        assert (await stranger(method, path, {} if method == "POST" else None)).status == 401
        assert (await web(method, path, {} if method == "POST" else None, Origin="https://elsewhere")).status == 403
    assert (await web("GET", "/ann")).status == 200


async def test_what_can_be_asked_is_told_to_nobody(web: Web) -> None:
    for path in ("/../../openapi.json", "/../../docs"):
        assert (await web("GET", path)).status == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/ann/entries", b"{"),
        ("/ann/entries", b"[" * 60_000),
        ("/ann/entries", b"5"),
        ("/ann/undo", {}),
        ("/ann/undo", {"number": "7"}),
        ("/ann/undo", {"number": True}),
        ("/ann/undo", {"since": "2026-01-01", "only": "nobody"}),
        ("/ann/undo", {"number": 7.0}),
        ("/ann/import?format=txt&preview=perhaps", b""),
        ("/ann/entries?as=nobody", {"written": "a"}),
    ],
)
async def test_what_makes_no_sense_is_refused(web: Web, path: str, body: Any) -> None:
    assert (await web("POST", path, body)).error == "bad_request"
    assert (await web("GET", "/ann")).body["revision"] == 0


@pytest.mark.parametrize(
    ("method", "path", "code", "allow"),
    [
        ("PATCH", "", "wrong_method", "GET, POST"),
        ("POST", "/ann", "wrong_method", "DELETE, GET"),
        ("PUT", "/ann/entries", "wrong_method", "GET, POST"),
        ("GET", "/ann/undo", "wrong_method", "POST"),
        ("GET", "/ann/nothing", "no_such_address", None),
        ("GET", "/", "no_such_address", None),
    ],
)
async def test_what_is_not_there_is_told_like_everything_else(
    web: Web, method: str, path: str, code: str, allow: str | None
) -> None:
    answer = await web(method, path, Accept_Language="zh")
    assert (answer.error, answer.headers.get("allow")) == (code, allow)
    values = {"allowed": tuple((allow or "").split(", "))}
    assert answer.body["error"]["message"] == Messages("zh")(f"error.{code}.message", **values)
    assert (await Web(web.port, token="a-wrong-token")(method, path)).status == 401


async def test_a_change_with_a_number_beyond_all_is_not_there(web: Web) -> None:
    answer = await web("POST", "/ann/undo", {"number": 10**30})
    assert (answer.status, answer.error) == (404, "revision_not_found")


async def test_a_page_may_be_asked_for_as_the_documentation_writes_it(web: Web) -> None:
    assert (await web("GET", "/ann/entries?find=&after=0&limit=100")).body["count"] == 0


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "limit=" + "9" * 30, "after=²"])
async def test_a_number_that_is_none_is_refused(web: Web, query: str) -> None:
    assert (await web("GET", f"/ann/entries?{query.replace('²', '%C2%B2')}")).status == 400


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/ann/entries", {"written": ""}, "wrong_value"),
        ("/ann/entries", {"written": "a\u0007"}, "wrong_value"),
        ("/ann/entries", {"written": "a", "colour": "red"}, "wrong_value"),
        ("/ann/entries", {"written": "x" * 257}, "wrong_value"),
        ("/ann/rules", {"heard": "a"}, "wrong_value"),
        ("", {"name": "../x"}, "wrong_name"),
        ("", {"name": 5}, "wrong_name"),
        ("", {}, "wrong_name"),
        ("/ann/undo", {"since": "yesterday"}, "wrong_date"),
        ("/ann/import?format=docx", b"", "unknown_format"),
        ("/ann/import?format=txt", b"Jos\xe9\n", "import_encoding"),
        ("/ann/import?format=json", b"{", "import_unreadable"),
    ],
)
async def test_what_cannot_be_kept_is_told_with_a_sentence(web: Web, path: str, body: Any, code: str) -> None:
    answer = await web("POST", path, body)
    assert (answer.status, answer.error) == (422, code)
    assert answer.body["error"]["message"]
    assert answer.body["error"]["remedy"]


async def test_wrong_preferences_are_refused(web: Web) -> None:
    assert (await web("PUT", "/ann/preferences", {"endpoint_delay_s": 99})).error == "wrong_value"


async def test_the_same_words_twice_are_refused_with_the_id_of_the_first(web: Web) -> None:
    first = (await web("POST", "/ann/entries", {"written": "a"})).body["entry"]["id"]
    again = await web("POST", "/ann/entries", {"written": "a"})
    assert (again.status, again.body["error"]["id"]) == (409, first)


async def test_what_is_too_large_is_refused(web: Web) -> None:
    large = {"written": "a", "note": "x" * MOST_BODY}
    one = await web("POST", "/ann/entries", large)
    assert (one.status, one.error) == (413, "request_too_large")
    list_of_words = await web("POST", "/ann/import?format=txt", b"x" * (MOST_BYTES + 1))
    assert (list_of_words.status, list_of_words.error) == (413, "import_too_large")


async def test_who_asks_too_often_is_told_so(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "profiles.sqlite")
    async with running_server(configured=settings(max_requests_per_s=5), store=store) as server:
        web = Web(server.port)
        answers = await asyncio.gather(*(web("GET", "") for _ in range(40)))
    store.close()
    assert {answer.status for answer in answers} == {200, 429}


# --- the whole program -----------------------------------------------------------------------------------------------


async def test_the_command_and_the_server_see_each_others_changes_at_once(tmp_path: Path) -> None:
    home = at_home(tmp_path)
    await run("profile", "add", "Kowalski", environment=home)
    async with serving("--port", "0", "--attached", "--engine", "script", home=tmp_path, stdin=PIPE) as process:
        told = json.loads(await first_line(process))
        web = Web(int(re.findall(r":(\d+)/", told["url"])[0]), told["token"])
        assert [each["written"] for each in (await web("GET", "/default/entries")).body["entries"]] == ["Kowalski"]
        await run("profile", "add", "Nguyen", environment=home)
        assert (await web("GET", "/default/entries")).body["count"] == 2
        await web("POST", "/default/entries", {"written": "张伟"})
        assert "张伟" in (await run("profile", "entries", environment=home)).output


@pytest.mark.parametrize("level", ["debug", "error"])
async def test_nothing_of_a_vocabulary_reaches_the_log(level: str, tmp_path: Path) -> None:
    options = ("--port", "0", "--attached", "--engine", "script", "--log-level", level)
    async with serving(*options, home=tmp_path, stdin=PIPE) as process:
        told = json.loads(await first_line(process))
        web = Web(int(re.findall(r":(\d+)/", told["url"])[0]), told["token"])
        await web("POST", "", {"name": "default"})
        for body in ({"written": MARKER}, {"written": MARKER}, {"written": MARKER, MARKER: MARKER}, {MARKER: 1}):
            await web("POST", "/default/entries", body)
        await web("POST", "/default/import?format=csv", f"written,language\n{MARKER},{MARKER}\n".encode())
        await web("GET", f"/default/entries/{MARKER}")
        await web("GET", f"/default/entries?find={MARKER}&limit={MARKER}")
        assert (await web("GET", "/default/entries")).body["count"] == 1
        assert process.stdin is not None
        process.stdin.close()
        end = await ended(process)
    assert MARKER not in end.output + end.complaint
