"""./dictate on a machine that has nothing: what a stranger gets from one command."""

from pathlib import Path

import pytest

from tests.setup.tiny_project import PYTHON, TinyProject, kill, make

NO_ENSUREPIP = f"""
case "$*" in
    *"import ensurepip"*|"-m venv"*) [ -e "$0-venv-is-there" ] || exit 1 ;;
esac
exec "{PYTHON}" "$@"
"""
AS_USER = "echo 1000"
AS_ROOT = "echo 0"
APT_GET = 'echo "$@" >> "$(dirname "$0")/apt-calls"; : > "$(dirname "$0")/python3-venv-is-there"'


@pytest.fixture
def project(tmp_path: Path) -> TinyProject:
    return make(tmp_path)


def heard(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def test_the_first_start_sets_up_and_passes_every_argument_on(project: TinyProject, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    first = project.start("--language", "zh", "two words.wav", cwd=elsewhere)

    assert first.returncode == 0, first.stderr
    assert first.stdout.endswith(heard("dictating ['dictate', '--language', 'zh', 'two words.wav']"))
    assert first.stdout.startswith("Setting up, with Python 3.")
    assert list(elsewhere.iterdir()) == []


def test_the_second_start_goes_straight_to_dictating_and_asks_no_python(project: TinyProject):
    project.start("--setup-only")
    (project.bin / "python3").unlink()

    second = project.start()

    assert (second.stdout, second.stderr) == (heard("dictating ['dictate']"), "")


def test_it_works_through_a_link_in_another_folder(project: TinyProject):
    project.start("--setup-only")
    link = project.bin / "dictate"
    link.symlink_to(project.root / "dictate")

    assert project.start(program=link).stdout == heard("dictating ['dictate']")


def test_set_up_only_says_that_all_is_there_and_does_not_dictate(project: TinyProject):
    lines = project.start("--setup-only").stdout.splitlines()

    assert lines[-1] == "Everything is set up. Start dictating with ./dictate"
    assert project.start("--setup-only").stdout == heard(lines[-1])


def test_every_line_of_a_set_up_is_short_and_plain(project: TinyProject):
    output = project.start("--setup-only").stdout

    assert "\r" not in output
    assert "\x1b" not in output
    assert all(len(line) <= 120 for line in output.splitlines())


def test_setting_up_speaks_chinese_where_the_locale_does(project: TinyProject):
    project.variables["LC_ALL"] = "zh_CN.UTF-8"

    output = project.start("--setup-only").stdout

    assert output.startswith("正在安装")
    assert output.endswith("就可以开始听写。\n")


def test_a_changed_pin_is_installed_at_the_next_start(project: TinyProject):
    project.start("--setup-only")
    project.pin("pinned==2.0")

    again = project.start()

    assert "Setting up" in again.stdout
    assert len(list(project.root.glob(".venv/lib/python3*/site-packages/pinned-2.0.dist-info"))) == 1


def test_a_folder_that_was_moved_sets_itself_up_anew(project: TinyProject):
    project.start("--setup-only")
    moved = project.root.with_name("moved")
    project.root.rename(moved)
    project.root = moved

    assert project.start().stdout.endswith(heard("dictating ['dictate']"))


def test_a_python_that_is_gone_is_replaced(project: TinyProject):
    project.start("--setup-only")
    python = project.root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nonexistent/python3.11")

    assert project.start().stdout.endswith(heard("dictating ['dictate']"))


def test_an_installation_that_was_killed_is_repaired_by_the_next_start(project: TinyProject):
    gate = project.gate()
    first = project.begin("--setup-only")
    gate.wait_until_reached()
    kill(first)
    project.open_gate()

    second = project.start()

    assert second.returncode == 0, second.stderr
    assert second.stdout.endswith(heard("dictating ['dictate']"))


def test_two_starts_at_once_do_not_destroy_each_other(project: TinyProject):
    gate = project.gate()
    first = project.begin()
    gate.wait_until_reached()
    project.open_gate()
    second = project.begin()
    assert second.stdout is not None

    waiting = second.stdout.readline()
    gate.let_go_on()

    assert waiting == "Another start is setting up this folder. Waiting for it to finish.\n"
    assert first.communicate()[0].endswith(heard("dictating ['dictate']"))
    assert second.communicate()[0] == heard("dictating ['dictate']")


def test_without_ensurepip_the_missing_package_is_installed_where_that_is_allowed(project: TinyProject):
    project.command("python3", NO_ENSUREPIP)
    project.command("id", AS_ROOT)
    project.command("apt-get", APT_GET)

    result = project.start()

    assert "Installing the Debian package python3-venv." in result.stdout
    assert result.stdout.endswith(heard("dictating ['dictate']"))
    assert "install -y --no-install-recommends python3-venv" in (project.bin / "apt-calls").read_text()


def test_without_ensurepip_sudo_is_used_where_it_asks_for_no_password(project: TinyProject):
    project.command("python3", NO_ENSUREPIP)
    project.command("id", AS_USER)
    project.command("apt-get", APT_GET)
    project.command("true", "exit 0")
    project.command("sudo", '[ "$1" = -n ] && shift && exec "$@"')

    assert project.start().stdout.endswith(heard("dictating ['dictate']"))


def test_without_ensurepip_and_without_permission_the_one_command_is_named(project: TinyProject):
    project.command("python3", NO_ENSUREPIP)
    project.command("id", AS_USER)
    project.command("apt-get", APT_GET)
    project.command("sudo", "exit 1")

    refused = project.start()

    assert refused.returncode == 1
    assert refused.stderr.endswith("start again: sudo apt install python3-venv\n")
    assert "Installing" not in refused.stdout
    assert not (project.bin / "apt-calls").exists()

    (project.bin / "python3-venv-is-there").touch()
    assert project.start().stdout.endswith(heard("dictating ['dictate']"))


def test_without_ensurepip_and_without_apt_it_says_what_is_missing(project: TinyProject):
    project.command("python3", NO_ENSUREPIP)

    assert "venv and ensurepip are missing" in project.start().stderr


@pytest.mark.parametrize(("locale", "words"), [("C", "and none was found"), ("zh_CN.UTF-8", "没有找到")])
def test_without_a_fitting_python_it_says_so(project: TinyProject, locale: str, words: str):
    project.command("python3", "exit 1")
    project.variables["LANG"] = locale

    result = project.start()

    assert result.returncode == 1
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_second_python_is_taken_where_the_first_does_not_fit(project: TinyProject):
    project.command("python3", "exit 1")
    project.command("python3.12", f'exec "{PYTHON}" "$@"')

    assert project.start().stdout.endswith(heard("dictating ['dictate']"))


def test_a_home_that_cannot_be_written_does_not_matter(project: TinyProject):
    project.variables["HOME"] = "/nonexistent"

    assert project.start().stdout.endswith(heard("dictating ['dictate']"))


def test_modules_of_another_project_are_not_found_instead_of_ours(project: TinyProject, tmp_path: Path):
    (tmp_path / "argparse.py").write_text("raise SystemExit('the wrong argparse')")
    project.variables["PYTHONPATH"] = str(tmp_path)

    assert "wrong" not in project.start("--setup-only").stderr


def test_a_folder_that_cannot_be_written_is_told(project: TinyProject):
    (project.root / ".setup.lock").mkdir()

    result = project.start()

    assert result.returncode == 1
    assert result.stderr == heard(
        f"The folder {project.root} cannot be written. Copy it into your home folder and start it there."
    )


def test_a_package_that_cannot_be_had_is_told_and_tried_again(project: TinyProject):
    project.pin("nonesuch==1.0")
    result = project.start()

    assert result.returncode == 1
    assert result.stderr == heard(
        f"The packages could not be installed. What pip said is in {project.root / '.venv' / 'setup.log'}"
    )

    project.pin("pinned==1.0")
    assert project.start().stdout.endswith(heard("dictating ['dictate']"))


def test_an_environment_made_by_hand_is_kept(project: TinyProject):
    project.start("--setup-only")
    (project.root / ".venv" / "voice-ime-setup").unlink()
    mine = project.root / ".venv" / "mine"
    mine.touch()

    project.start()

    assert mine.exists()


