"""Systems that cannot run the product are told so before anything is downloaded."""

import pytest

from scripts.setup import OLDEST_GLIBC, system_problem
from voice_ime.messages import LANGUAGES, Messages


@pytest.mark.parametrize("machine", OLDEST_GLIBC)
def test_debian_12_fits(machine: str):
    assert system_problem(machine, (2, 36), 64) is None


def test_debian_11_on_an_intel_processor_is_too_old():
    assert system_problem("x86_64", (2, 31), 64) == "old_system"


def test_another_c_library_is_told():
    assert system_problem("aarch64", (0, 0), 64) == "no_glibc"


@pytest.mark.parametrize(("machine", "bits"), [("armv7l", 32), ("aarch64", 32), ("riscv64", 64)])
def test_another_processor_or_a_32_bit_system_is_told(machine: str, bits: int):
    assert system_problem(machine, (2, 36), bits) == "wrong_machine"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("problem", ["wrong_machine", "no_glibc", "old_system"])
def test_each_of_them_has_its_sentence(problem: str, language: str):
    assert "{" not in Messages(language)(f"setup.{problem}", machine="riscv64", glibc="2.31")
