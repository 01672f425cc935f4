"""No desktop: nothing ever has the focus."""

from voice_ime_desktop.focus.base import Focus, Refusal, Surroundings, Target


class NullFocus(Focus):
    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def target(self) -> Target | None:
        return None

    async def surroundings(self, target: Target) -> Surroundings | None:
        return None

    async def refusal(self, target: Target) -> Refusal | None:
        return "nothing_focused"
