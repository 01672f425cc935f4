"""The list of models that comes with voice-ime keeps its own rules."""

import re
from pathlib import Path

import pytest

from voice_ime.engine.catalog import ROWS
from voice_ime.engine.store import MOONSHINE_TINY_EN
from voice_ime.errors import ModelUnknown
from voice_ime.messages import LANGUAGES, Messages
from voice_ime.models import telling
from voice_ime.models.manifest import MANY, ArchiveSource, HubSource, Model, read_manifest
from voice_ime.models.use import engine_settings, row_of
from voice_ime.settings import EngineSettings

MANIFEST = read_manifest()
LATER: set[str] = set()
"""Engines that no version has yet."""
every_model = pytest.mark.parametrize("model", MANIFEST.model, ids=lambda model: model.id)


def test_no_two_models_share_a_name() -> None:
    ids = [model.id for model in MANIFEST.model]
    assert sorted(set(ids)) == sorted(ids)


@every_model
def test_its_engine_takes_the_settings_that_it_needs(model: Model) -> None:
    if model.engine not in LATER:
        row = row_of(model)
        tree = engine_settings(model, Path("/models"), row)
        assert EngineSettings.model_validate(tree).name == row.name


@every_model
def test_where_it_comes_from_is_said(model: Model) -> None:
    assert (model.comes_with is None) == bool(model.sources)
    kinds = [source.kind for source in model.sources]
    assert kinds == sorted(kinds, key=["hub", "mirror", "archive"].index)


@every_model
def test_all_places_are_reached_with_encryption(model: Model) -> None:
    addresses = [source.url for source in model.sources if not isinstance(source, HubSource)]
    assert [address for address in addresses if not address.startswith("https://")] == []


@every_model
def test_a_checksum_has_a_source_and_a_fixed_revision(model: Model) -> None:
    known = [file for file in model.files if file.sha256]
    assert bool(known) == bool(model.checksums_from)
    assert all(file.bytes is not None for file in known)
    for source in model.sources:
        if isinstance(source, HubSource) and source.revision != "main":
            assert re.fullmatch("[0-9a-f]{40}", source.revision)
        if isinstance(source, ArchiveSource) and source.sha256:
            assert source.bytes is not None


@every_model
def test_every_figure_says_where_it_is_from(model: Model) -> None:
    assert [figure.what for figure in model.figures if len(figure.source) < 10] == []


@every_model
def test_a_rough_size_says_where_it_is_from(model: Model) -> None:
    assert (model.about_mb is None) == (not model.about_mb_from)
    assert model.about_mb is None or model.known_bytes is None


@every_model
def test_files_have_plain_names_of_their_own(model: Model) -> None:
    names = [file.name for file in model.files]
    assert len(set(names)) == len(names)


@every_model
def test_only_what_comes_along_was_ever_run_here(model: Model) -> None:
    assert model.ran_here == (model.comes_with is not None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_that_is_known_of_each_can_be_told(language: str) -> None:
    messages = Messages(language)
    for model in MANIFEST.model:
        lines = telling.details(model, ("recommended", "never_run"), {}, "https://hub.example", messages)
        assert all(line.strip() for line in lines)


def test_the_embedded_model_is_the_one_that_is_loaded() -> None:
    embedded = MANIFEST.get("moonshine-tiny-en")
    assert [(file.name, file.bytes, file.sha256) for file in embedded.files] == [
        (file.name, file.size, file.sha256) for file in MOONSHINE_TINY_EN.files
    ]
    assert embedded.comes_with == MOONSHINE_TINY_EN.requirement


def test_what_is_recommended_is_in_the_list_and_hears_the_languages() -> None:
    for choice in MANIFEST.choice:
        model = MANIFEST.get(choice.model)
        assert [each for each in choice.languages if each != MANY and not model.hears(each)] == []
        assert model.megabytes is not None


def test_every_engine_that_has_models_of_its_own_is_in_the_table() -> None:
    engines = {model.engine for model in MANIFEST.model}
    assert engines - {row.name for row in ROWS} == LATER


def test_a_model_that_nobody_knows_is_refused_with_those_that_are() -> None:
    with pytest.raises(ModelUnknown) as caught:
        MANIFEST.get("nonsense")
    assert "x-asr-480ms" in str(caught.value.values["known"])


def test_a_list_with_a_mistake_is_refused() -> None:
    for mistake in ('[[model]]\nid = "../evil"', "[[model]]\nname = 1", "nonsense = 1"):
        with pytest.raises(ValueError, match=r"model|nonsense"):
            read_manifest(mistake)
