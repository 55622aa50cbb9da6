"""`python -m scripts.site [FOLDER]`: build the documentation site and say where it is."""

import sys
from pathlib import Path

from scripts.site.building import SiteError, build

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Build into FOLDER, or build/site without it.

    Returns:
        Exit status: 0 built, 1 a page is wrong, 2 bad usage.
    """
    if len(sys.argv) > 2:
        print("usage: python -m scripts.site [FOLDER]", file=sys.stderr)
        return 2
    folder = Path(sys.argv[1]) if len(sys.argv) == 2 else ROOT / "build" / "site"
    try:
        pages = build(ROOT, folder)
    except SiteError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{pages / 'index.html'}: {len(list(pages.rglob('*.html')))} pages")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
