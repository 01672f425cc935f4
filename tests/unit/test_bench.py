"""`voice-ime bench`: finds its benchmarks, in a copy of the sources only."""

import pytest

from voice_ime.cli import COMMANDS, Command, main
from voice_ime.command_line import Parser
from voice_ime.commands import ExitCode, bench
from voice_ime.commands.bench import BENCHES, Bench
from voice_ime.messages import LANGUAGES, Messages


class OneBench:
    """The command with a table of its own."""

    def __init__(self, row: Bench) -> None:
        self.row = row

    def add_arguments(self, parser: Parser, messages: Messages) -> None:
        bench.load(self.row)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("row", BENCHES, ids=lambda row: row.name)
def test_each_benchmark_has_help(row: Bench, language: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--messages", language, "bench", row.name, "--help"], environment={}) == ExitCode.OK
    assert Messages(language)(f"bench.{row.name}")[:10] in capsys.readouterr().out


def test_the_help_names_all_benchmarks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--help"], environment={}) == ExitCode.OK
    said = capsys.readouterr().out
    assert [row.name for row in BENCHES if row.name not in said] == []


def test_without_the_sources_one_is_told_where_the_benchmarks_are(capsys: pytest.CaptureFixture[str]) -> None:
    command = Command("bench", lambda: OneBench(Bench("faults", "not_there")), "server")
    assert main(["bench"], environment={}, commands=[command]) == ExitCode.WRONG_USAGE
    assert "not part of the installed program" in capsys.readouterr().err


def test_the_command_is_there() -> None:
    assert "bench" in {command.name for command in COMMANDS}
