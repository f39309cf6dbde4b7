"""Writes `gateway/fix/tags.py` from the dictionaries of `fix_specs/`: `python -m gateway.fix.generate`.

One tag has one name, in all dictionaries; the values of a field are the union of theirs. A contradiction stops it.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from gateway.fix.dictionary import SPECS, DictionaryError, FieldSpec, read_dictionary

TARGET = Path(__file__).with_name("tags.py")

_OPENING = '''"""Tags and values of FIX. Generated from fix_specs: `python -m gateway.fix.generate`; not edited by hand.

Tags are text, as they stand in a raw message; `Number` has them as numbers, as QuickFIX takes them.
"""

from enum import IntEnum, StrEnum
'''


_REASONS = {"Password": "  # noqa: S105 - a tag"}


def main() -> int:
    """Write the file; print where."""
    TARGET.write_text(generate(SPECS), encoding="utf-8")
    sys.stdout.write(f"{TARGET}\n")
    return 0


def generate(specs: Path) -> str:
    """The text of `tags.py` for the dictionaries in the folder `specs`."""
    fields = merge(field for path in sorted(specs.glob("*.xml")) for field in read_dictionary(path).fields.values())
    texts = [f'{constant(field.name)} = "{field.tag}"' + _REASONS.get(field.name, "") for field in fields]
    numbers = [f"    {constant(field.name)} = {field.tag}" for field in fields]
    enums = [_enum(field) for field in fields if field.values]
    number = "\n\nclass Number(IntEnum):\n" + '    """Tags as numbers."""\n\n' + "\n".join(numbers) + "\n"
    return _OPENING + "\n" + "\n".join(texts) + "\n" + number + "".join(enums)


def merge(fields: Iterable[FieldSpec]) -> list[FieldSpec]:
    """Fields by tag, values of the same tag united; DictionaryError where two dictionaries disagree on a name."""
    merged: dict[int, FieldSpec] = {}
    for field in fields:
        known = merged.get(field.tag, field)
        values = dict(known.values)
        for value, description in field.values:
            if values.setdefault(value, description) != description:
                message = (
                    f"tag {field.tag}: value {value!r} is {values[value]} and {description}; one name for one value"
                )
                raise DictionaryError(message)
        if known.name != field.name:
            message = f"tag {field.tag}: named {known.name} and {field.name}; one name for one tag"
            raise DictionaryError(message)
        merged[field.tag] = known._replace(values=tuple(values.items()))
    return [merged[tag] for tag in sorted(merged)]


def constant(name: str) -> str:
    """`ClOrdID` as CL_ORD_ID, `NoMDEntries` as NO_MD_ENTRIES."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).upper()


def _enum(field: FieldSpec) -> str:
    rows = "\n".join(f'    {description} = "{value}"' for value, description in field.values)
    return f'\n\nclass {field.name}(StrEnum):\n    """{field.name}({field.tag})."""\n\n{rows}\n'


if __name__ == "__main__":
    raise SystemExit(main())
