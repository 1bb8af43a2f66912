"""The suites live in the kit, outside the tests: have their asserts explained all the same."""

import pytest

pytest.register_assert_rewrite(
    "bot.testing.channel_contract",
    "bot.testing.channel_proofs",
    "bot.testing.desk_contract",
    "bot.testing.desk_proofs",
)
