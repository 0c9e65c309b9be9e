"""Files that are downloaded once and kept in a cache, as Keras keeps them."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from lstmfast._checks import choice, string, wrong_kind

_BLOCK = 1 << 20


def get_file(
    fname: str | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """Return the path of a file in the cache, which is downloaded where it is not there yet.

    Without a network, put the file at the path that the error names, or pass an address that begins
    with ``file://``.

    Parameters
    ----------
    fname : str, optional
        The file's name in the cache; by default the last part of `origin`.
    origin : str
        The address.
    untar, extract : bool
        Unpack the archive, and return the path of the folder.
    md5_hash, file_hash : str, optional
        The expected hash: MD5, or by its length MD5 or SHA-256. A file in the cache with another
        one is downloaded again, and a download with another one is an error.
    cache_subdir : str
        The folder in the cache.
    hash_algorithm : {"auto", "md5", "sha256"}
        Of `file_hash`.
    archive_format : {"auto", "tar", "zip"} or list, optional
        Kinds of archives to expect.
    cache_dir : str or path-like, optional
        The cache; by default ``$KERAS_HOME``, else ``~/.keras``.
    force_download : bool
        Download even what is there.

    Raises
    ------
    ValueError
        For a file whose hash is another one, and wrong arguments.
    OSError
        Where the download fails; the message names the path to put the file at.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from lstmfast.utils import get_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     source = Path(folder) / "far.txt"
    ...     _ = source.write_text("numbers")
    ...     Path(get_file("near.txt", source.as_uri(), cache_dir=folder)).read_text()
    ...     # doctest: +ELLIPSIS
    Downloading data from file:...
    'numbers'
    """
    where = "get_file"
    if origin is None:
        raise wrong_kind(where, "origin", origin, "the address of the file")
    address = string(origin, "origin", where)
    choice(hash_algorithm, "hash_algorithm", where, "auto", "md5", "sha256")
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    name = os.fspath(fname) if fname else address.partition("?")[0].rpartition("/")[2]
    if not name or os.sep in name:
        raise ValueError(f"[{where}] fname is {name!r}; expected a name without folders")
    unpack = extract or untar
    folder = _cache(cache_dir) / cache_subdir
    target = folder / (name if fname and ("." in name or not unpack) else f"{name}_archive")
    if not unpack:
        target = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    if force_download or not target.exists() or not _is_right(target, file_hash, hash_algorithm):
        _download(address, target, file_hash, hash_algorithm)
    if not unpack:
        return str(target)
    stem = name.partition(".")[0] if fname else name
    unpacked = folder / (f"{stem}_extracted" if fname and "." in name else stem)
    kinds = ["tar"] if untar and not extract else archive_format
    if force_download or not unpacked.exists():
        _unpack(target, unpacked, kinds)
    return str(unpacked)


def _cache(given: str | os.PathLike[str] | None) -> Path:
    folder = os.fspath(given) if given is not None else os.environ.get("KERAS_HOME", "~/.keras")
    path = Path(folder).expanduser()
    existing = next(each for each in (path, *path.parents) if each.exists())
    return path if os.access(existing, os.W_OK) else Path(tempfile.gettempdir()) / ".keras"


def _hash(path: Path, algorithm: str) -> str:
    digest = hashlib.sha256() if algorithm == "sha256" else hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _is_right(path: Path, expected: str | None, algorithm: str) -> bool:
    if expected is None:
        return True
    if algorithm == "auto":
        algorithm = "sha256" if len(expected) == 64 else "md5"
    return _hash(path, algorithm) == expected.lower()


def _download(address: str, target: Path, expected: str | None, algorithm: str) -> None:
    """Write the file whole or not at all: an interrupt leaves what was there."""
    from urllib.error import URLError
    from urllib.request import urlopen

    print(f"Downloading data from {address}")
    path = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        try:
            with path.open("wb") as file, urlopen(address) as answer:
                shutil.copyfileobj(answer, file, _BLOCK)
        except (URLError, OSError) as error:
            raise OSError(
                f"[get_file] {address} cannot be downloaded ({error}); put the file at {target}"
            ) from error
        if not _is_right(path, expected, algorithm):
            raise ValueError(
                f"[get_file] the file from {address} has another hash than {expected}; it is not "
                "kept"
            )
        path.replace(target)
    finally:
        path.unlink(missing_ok=True)


def _unpack(archive: Path, folder: Path, kinds: Any) -> None:
    import tarfile
    import zipfile

    kinds = [kinds] if isinstance(kinds, str) else list(kinds or [])
    allowed = {"tar", "zip"} if "auto" in kinds else set(kinds)
    if unknown := allowed - {"tar", "zip"}:
        raise ValueError(
            f"[get_file] archive_format is {sorted(unknown)[0]!r}; expected 'auto', 'tar' or 'zip'"
        )
    part = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        if "tar" in allowed and tarfile.is_tarfile(archive):
            with tarfile.open(archive) as tar:
                safe: dict[str, Any] = {}
                if hasattr(tarfile, "data_filter"):
                    safe = {"filter": "data"}
                else:
                    _check_names([(each.name, each.isreg() or each.isdir()) for each in tar])
                tar.extractall(part, **safe)
        elif "zip" in allowed and zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(part)
        else:
            raise ValueError(f"[get_file] {archive} is no archive of a known kind: tar or zip")
        if folder.exists():
            shutil.rmtree(folder)
        part.replace(folder)
    finally:
        if part.exists():
            shutil.rmtree(part)


def _check_names(members: list[tuple[str, bool]]) -> None:
    """Refuse archives that would write elsewhere than in their folder, as newer Pythons do."""
    for name, is_plain in members:
        path = Path(name)
        if not is_plain or path.is_absolute() or ".." in path.parts:
            raise ValueError(
                f"[get_file] the archive holds {name!r}; expected files and folders inside it"
            )
