"""`python -m tests.unit.schemas.write_wire`: a wire sample of each new kind or version.

Never overwrites one: a sample is what some writer once put on a log.
"""

from pathlib import Path

from schemas.examples import EXAMPLES
from schemas.topics import CODEC, KINDS

WIRE = Path(__file__).with_name("wire")

if __name__ == "__main__":
    for kind in KINDS:
        path = WIRE / f"{kind.KIND}.v{kind.VERSION}.bin"
        if not path.exists():
            path.write_bytes(CODEC.encode(EXAMPLES[kind.KIND]))
