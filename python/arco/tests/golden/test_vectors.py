"""Keys and canonical JSON are the same in Rust and Python: one set of vectors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from arco_flow import AssetKey, DefinitionError, UsageError
from arco_flow._internal import canonical
from arco_flow._internal.partitions import identity

Golden = Callable[[str], Any]


def test_canonical_json_and_its_digest(golden: Golden) -> None:
    vectors = golden("canonical.json")
    assert len(vectors) > 20
    for one in vectors:
        assert canonical.dumps(one["value"]) == one["canonical"]
        assert canonical.digest(one["value"]) == one["sha256"]


def test_canonical_text_reads_back_as_itself(golden: Golden) -> None:
    for one in golden("canonical.json"):
        assert canonical.dumps(json.loads(one["canonical"])) == one["canonical"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**60, {1: "a"}, object(), "\ud800"])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(UsageError):
        canonical.dumps(value)


def test_asset_keys_and_their_text(golden: Golden) -> None:
    vectors = golden("asset_key.json")
    for one in vectors["keys"]:
        key = AssetKey(one["parts"])
        assert key.to_user_string() == one["text"]
        assert AssetKey.from_user_string(one["text"]) == key
        assert list(AssetKey.from_user_string(one["text"]).parts) == one["parts"]
    for one in vectors["refused"]:
        with pytest.raises(DefinitionError):
            AssetKey.from_user_string(one["text"])


def test_partition_identity(golden: Golden) -> None:
    for one in golden("partition_identity.json")["keys"]:
        dimensions = [(d["name"], d["type"], d["value"]) for d in one["dimensions"]]
        assert identity.canonical(dimensions) == one["canonical"]
        assert identity.display(dimensions) == one["display"]


def test_partition_identity_is_read_back(golden: Golden) -> None:
    vectors = golden("partition_identity.json")
    for one in vectors["keys"]:
        read = sorted((name, value) for name, _, value in identity.parse(one["canonical"]))
        assert read == sorted((d["name"], d["value"]) for d in one["dimensions"])
    for one in vectors["refused"]:
        with pytest.raises(UsageError):
            identity.parse(one["canonical"])
