"""Whose words are used is said in `hello`; what changes in them counts from the next utterance on."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import loud, silent
from tests.needs import needs_package
from tests.server.running import Running, Talk, running_server
from tests.server.test_dictation import speak
from voice_ime import protocol as wire
from voice_ime.engine.script import ScriptEngine
from voice_ime.personalize.profile import Entry, Preferences, Rule, Source
from voice_ime.settings import ScriptSettings
from voice_ime.store.base import Author, Put, Store

needs_package("sqlalchemy")
needs_package("alembic")

from voice_ime.store.sql import SqlStore  # noqa: E402

PERSON = Author(Source.PERSON, "test")


@dataclass
class Place:
    """A server, the profiles behind it, and somebody who dictates."""

    server: Running
    store: Store
    end: int = 0

    async def hears(self, talk: Talk) -> wire.Final:
        """The final of the next utterance, ended by the key."""
        self.end = await speak(talk, loud(1), self.end)
        await talk.say(wire.Finalize(sample=self.end))
        final = await talk.hear(wire.Final)
        await talk.say(wire.Kept(utterance=final.utterance))
        return final

    def keep(self, *values: Entry | Rule | Preferences, name: str = "ann") -> None:
        self.store.apply(name, [Put(value) for value in values], PERSON)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    store = SqlStore(tmp_path / "profiles.sqlite")
    store.create("ann")
    line = "please ring kubernetties tomorrow"
    async with running_server(ScriptEngine(ScriptSettings(lines=(line,))), store=store) as server:
        yield Place(server, store)
    store.close()


async def test_the_rules_of_the_profile_are_followed(place: Place) -> None:
    place.keep(Rule(id="r1", heard="ring", write="call"))
    async with place.server.session(profile="ann", endpoints=False) as talk:
        final = await place.hears(talk)
    assert final.text == "please call kubernetties tomorrow"
    assert [edit.text for edit in final.edits] == ["Please call kubernetties tomorrow"]
    (change,) = final.changes
    assert (change.kind, change.heard, change.written, change.source) == ("rule", "ring", "call", "r1")
    assert (change.first_word, change.last_word) == (1, 2)


async def test_an_entry_is_written_where_something_like_it_was_heard(place: Place) -> None:
    place.keep(Entry(id="e1", written="Kubernetes"))
    async with place.server.session(profile="ann", endpoints=False) as talk:
        final = await place.hears(talk)
    (change,) = final.changes
    assert (change.heard, change.written, change.source) == ("kubernetties", "Kubernetes", "e1")
    assert ("Kubernetes" in final.text) == (change.kind == "replace")


async def test_what_changes_in_a_profile_counts_from_the_next_utterance_on(place: Place) -> None:
    async with place.server.session(profile="ann", endpoints=False) as talk:
        before = await place.hears(talk)
        place.keep(Rule(id="r1", heard="ring", write="call"))
        after = await place.hears(talk)
    assert (before.text, after.text) == ("please ring kubernetties tomorrow", "please call kubernetties tomorrow")


async def test_another_profile_and_none_at_all_have_no_part_in_it(place: Place) -> None:
    place.keep(Rule(id="r1", heard="ring", write="call"))
    for fields in ({}, {"profile": "default"}):
        async with place.server.session(endpoints=False, session=f"session-of-{len(fields)}", **fields) as talk:
            place.end = 0
            assert (await place.hears(talk)).text == "please ring kubernetties tomorrow"


async def test_a_profile_that_does_not_exist_is_said_at_once(place: Place) -> None:
    async with place.server.connection() as talk:
        await talk.say(wire.Hello(version=wire.VERSION, session="session-1", profile="nobody"))
        error = wire.read_server_message(await talk.websocket.recv())
    assert isinstance(error, wire.Error)
    assert (error.code, error.fatal) == ("profile_not_found", True)


async def test_a_rule_for_one_application_applies_there_only(place: Place) -> None:
    place.keep(Rule(id="r1", heard="ring", write="call", application="mutt"))
    async with place.server.session(profile="ann", endpoints=False) as talk:
        first = await place.hears(talk)
        await talk.say(wire.Context(focus=wire.FocusFacts(application="mutt")))
        second = await place.hears(talk)
    assert [change.source for final in (first, second) for change in final.changes] == ["r1"]
    assert second.changes


async def test_a_correction_said_outright_is_learned_and_told(place: Place) -> None:
    async with place.server.session(profile="ann", endpoints=False) as talk:
        final = await place.hears(talk)
        await talk.say(
            wire.Correction(utterance=final.utterance, heard="kubernetties", meant="Kubernetes", how="voice")
        )
        taken = await talk.hear(wire.CorrectionTaken)
    assert taken.kept
    assert taken.say == "From now on I write Kubernetes when I hear kubernetties."
    profile = await asyncio.to_thread(place.store.get, "ann")
    assert [entry.written for entry in profile.entries] == ["Kubernetes"]
    assert place.store.log("ann")[0].author.source is Source.LEARNED


async def test_of_an_ordinary_word_that_was_corrected_no_more_is_promised_than_is_done(place: Place) -> None:
    async with place.server.session(profile="ann", endpoints=False) as talk:
        await talk.say(wire.Correction(utterance="u0", heard="please ring", meant="please wring", how="voice"))
        taken = await talk.hear(wire.CorrectionTaken)
        final = await place.hears(talk)
    assert taken.say == "From now on, when I hear ring, I offer wring, or write it where it fits."
    assert [(change.heard, change.written) for change in final.changes if change.heard == "ring"] == [("ring", "wring")]


async def test_of_two_own_words_that_sound_the_same_the_chosen_one_is_in_use_from_then_on(place: Place) -> None:
    place.keep(Entry(id="e1", written="Kowalski"))
    place.keep(Entry(id="e2", written="Covalsky"))
    async with place.server.session(profile="ann", endpoints=False) as talk:
        await talk.say(wire.Correction(utterance="u0", heard="ring Covalsky", meant="ring Kowalski", how="voice"))
        assert (await talk.hear(wire.CorrectionTaken)).kept
    used = {entry.written: entry.used for entry in place.store.get("ann").entries}
    assert used["Kowalski"] is not None
    assert used["Covalsky"] is None


async def test_an_edit_is_only_observed_the_first_time(place: Place) -> None:
    async with place.server.session(profile="ann", endpoints=False) as talk:
        final = await place.hears(talk)
        meant = final.text.replace("kubernetties", "Kubernetes")
        await talk.say(wire.Correction(utterance=final.utterance, heard=final.text, meant=meant))
        taken = await talk.hear(wire.CorrectionTaken)
    assert (taken.kept, taken.say) == (False, "")
    assert place.store.get("ann").entries == ()


async def test_nothing_is_learned_where_the_person_does_not_want_it(place: Place) -> None:
    place.keep(Preferences(learn=False))
    async with place.server.session(profile="ann", endpoints=False) as talk:
        await talk.say(wire.Correction(utterance="u0", heard="kubernetties", meant="Kubernetes", how="voice"))
        assert not (await talk.hear(wire.CorrectionTaken)).kept
    assert place.store.get("ann").lessons == ()


async def test_a_correction_without_a_profile_is_answered_and_not_kept(place: Place) -> None:
    async with place.server.session(endpoints=False) as talk:
        await talk.say(wire.Correction(utterance="u0", heard="a", meant="b"))
        assert not (await talk.hear(wire.CorrectionTaken)).kept


async def test_a_person_who_pauses_long_is_waited_for(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "profiles.sqlite")
    store.create("ann")
    store.apply("ann", [Put(Preferences(endpoint_delay_s=1.024))], PERSON)
    async with running_server(store=store) as server, server.session(profile="ann") as talk:
        await speak(talk, np.concatenate([silent(0.512), loud(1.024), silent(0.768), loud(1.024), silent(1.536)]))
        final = await talk.hear(wire.Final)
    store.close()
    assert final.timings.endpoint_s == 1.024
    assert final.text.endswith("32768 loud")


async def test_how_a_word_is_written_and_what_sounds_the_same_is_explained(place: Place) -> None:
    place.keep(Entry(id="e1", written="张伟"))
    async with place.server.session(profile="ann", messages="zh") as talk:
        await talk.say(wire.Explain(text="章伟", language="zh"))
        explained = await talk.hear(wire.Explained)
        await talk.say(wire.Explain(text="张伟", language="zh"))
        assert (await talk.hear(wire.Explained)).source == "e1"
    assert (explained.sentences[0], explained.source) == ("章，立早章", "")
    assert (explained.rivals[0].text, explained.rivals[0].source) == ("张伟", "e1")
    assert explained.rivals[0].sentences[0] == "张，弓长张"
