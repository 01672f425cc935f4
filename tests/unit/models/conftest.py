from collections.abc import Iterator

import pytest

from tests.server.hub import Hub, serving


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub()) as running:
        yield running
