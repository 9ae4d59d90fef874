"""`python -m arco_flow.manifest TARGET --location NAME`: prints the manifest of a code location."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from arco_flow._internal import canonical
from arco_flow._internal.errors import ArcoError, LoadError
from arco_flow._internal.load import load_definitions


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the manifest; 0 when the definitions stand, else 1 and the reason on stderr."""
    parser = argparse.ArgumentParser(prog="python -m arco_flow.manifest", description=__doc__)
    parser.add_argument("target", help="file.py, file.py:attr, module or module:attr")
    parser.add_argument("--location", required=True, help="name of the code location")
    parser.add_argument("--canonical", action="store_true", help="one line, as it is digested")
    options = parser.parse_args(arguments)
    try:
        manifest = load_definitions(options.target).to_manifest(options.location)
    except LoadError as error:
        sys.stderr.write(f"{error.error['traceback']}error: {error}\n")
        return 1
    except ArcoError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    text = (
        canonical.dumps(manifest)
        if options.canonical
        else json.dumps(manifest, indent=2, ensure_ascii=False)
    )
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
