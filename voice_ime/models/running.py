"""Telling a server that is running to change to the engine that the settings name now."""

import json
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from voice_ime.settings import Settings

PATH = "/v1/engine"
LOADED_WITHIN_S = 600
"""A large model takes long to load from a slow disk."""


def tell_server(settings: Settings, token_file: Path, language: str) -> tuple[bool, str] | None:
    """Whether the server of these settings has changed, and its engine, or else sentences in `language` that say why
    not; None where no such server is running or it does not know us.

    `token_file`: where the server keeps its token, unless the settings have one.
    """
    token = settings.server.token or _token(token_file)
    if not token or not settings.server.port:
        return None
    wanted = settings.engine.model_dump(mode="json", exclude={"workers"})
    answer = _ask(settings, wanted, {"Authorization": f"Bearer {token}", "Accept-Language": language})
    if answer is None:
        return None
    if (error := answer.get("error")) is not None:
        return (False, f"{error['message']} {error['remedy']}") if error.get("code") == "not_switched" else None
    return True, str(answer["capabilities"]["engine"])


def _ask(settings: Settings, body: object, headers: dict[str, str]) -> dict[str, Any] | None:
    connection = HTTPConnection(settings.server.host, settings.server.port, timeout=LOADED_WITHIN_S)
    try:
        connection.request("POST", PATH, json.dumps(body), headers)
        answer = json.loads(connection.getresponse().read())
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return answer if isinstance(answer, dict) and ("error" in answer or "capabilities" in answer) else None


def _token(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except (OSError, ValueError):
        return ""
