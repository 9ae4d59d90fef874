"""Where a value lies: a folder per asset, a file per partition, in a local folder or behind a URL.

Local paths use plain `open`: importing universal-pathlib takes longer than a small task. It is
imported for URLs alone. Writes are atomic: a temporary file beside the target, then a rename. Object
stores publish an object whole, so there the object is written at once.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from typing import IO, Any
from urllib.parse import unquote

from arco_flow._internal.errors import StorageError
from arco_flow._internal.keys import AssetKey

STORAGE_VARIABLE = "ARCO_STORAGE"
DEFAULT_STORAGE = os.path.join(".arco", "storage")
WHOLE = "value"

_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+.=")
_NAME_MAX = 180
_ATOMIC_PUTS = frozenset(
    {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "memory", "oci", "r2"}
)
_counter = count()


def storage_root(base_dir: str | None, storage: str | None) -> str:
    """The first of: the manager's own, the task's, the environment's, `./.arco/storage`."""
    return base_dir or storage or os.environ.get(STORAGE_VARIABLE) or DEFAULT_STORAGE


def is_url(root: str) -> bool:
    """Whether the root has a scheme other than `file`."""
    return "://" in root and not root.startswith("file://")


def local_root(root: str) -> str:
    """A local path of a path or `file://` URL."""
    return unquote(root.removeprefix("file://")) if root.startswith("file://") else root


def safe_name(text: str) -> str:
    """A file name for any text, one to one: other characters as `%XX`, a long rest as a digest."""
    name = "".join(
        c if c in _SAFE else "".join(f"%{b:02X}" for b in c.encode("utf-8")) for c in text
    )
    if name.startswith("."):
        name = "%2E" + name[1:]
    if len(name) > _NAME_MAX:
        name = name[:_NAME_MAX] + "~" + hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]
    return name or "%"


def value_path(root: str, key: AssetKey, partition: str | None, extension: str) -> str:
    """`<root>/<key parts>/<partition>.<extension>`; `value` stands for an unpartitioned asset.

    The folder per asset keeps asset `a/b` apart from partition `b` of asset `a`.
    """
    file = (WHOLE if partition is None else safe_name(partition)) + extension
    parts = [safe_name(part) for part in key.path]
    if is_url(root):
        return "/".join([root.rstrip("/"), *parts, file])
    return os.path.join(local_root(root), *parts, file)


def identifier_path(root: str, identifier: Sequence[str], extension: str) -> str:
    """`<root>/.runs/<run>/<step>/…/<output>.<extension>`, of a value between ops.

    No asset lies below `.runs`: a part of a key that begins with a dot is written otherwise.
    """
    parts = [".runs", *(safe_name(part) for part in identifier)]
    if is_url(root):
        return "/".join([root.rstrip("/"), *parts]) + extension
    return os.path.join(local_root(root), *parts) + extension


def write_atomic(path: str, write: Callable[[IO[bytes]], Any]) -> None:
    """Calls `write` with an open file and publishes what it wrote at `path`, whole or not at all."""
    if is_url(path):
        _write_remote(path, write)
        return
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name[:_NAME_MAX]}.{os.getpid()}.{next(_counter)}.tmp")
    try:
        try:
            file = open(temporary, "xb")  # noqa: SIM115
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)
            file = open(temporary, "xb")  # noqa: SIM115
        with file:
            write(file)
        os.replace(temporary, path)
    except BaseException:
        _remove(temporary)
        raise


def read(path: str, load: Callable[[IO[bytes]], Any]) -> Any:
    """What `load` makes of the file at `path`."""
    if is_url(path):
        with remote(path).open("rb") as file:
            return load(file)
    with open(path, "rb") as file:
        return load(file)


def exists(path: str) -> bool:
    """Whether a file is there."""
    return bool(remote(path).exists()) if is_url(path) else os.path.exists(path)


def remote(url: str) -> Any:
    """The `UPath` of a URL."""
    try:
        from upath import UPath

        return UPath(url)
    except (ImportError, ValueError) as error:
        scheme = url.partition("://")[0]
        raise StorageError(
            f"`{url}` cannot be opened: the package for `{scheme}` is missing ({error}); install it, "
            "for example s3fs for s3, gcsfs for gs, adlfs for abfs"
        ) from error


def _write_remote(url: str, write: Callable[[IO[bytes]], Any]) -> None:
    target = remote(url)
    if target.protocol in _ATOMIC_PUTS:
        with target.fs.open(target.path, "wb") as file:
            write(file)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f".{target.name[:_NAME_MAX]}.{os.getpid()}.{next(_counter)}.tmp"
    with temporary.open("wb") as file:
        write(file)
    target.fs.mv(temporary.path, target.path)


def _remove(path: str) -> None:
    with suppress(OSError):
        os.remove(path)
