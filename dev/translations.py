"""Merge exported texts into the translations; runs in the environment, which has polib."""

import sys

import polib

from .project import LOGS, ROOT

LANGUAGES = ("zh_CN",)
CHANGING = ("POT-Creation-Date", "PO-Revision-Date")


def _texts(entries):
    return [(e.msgctxt, e.msgid, e.msgstr, e.fuzzy, e.comment, e.occurrences) for e in entries]


def _save(path, new):
    """Write the file unless nothing but its dates would change."""
    if path.exists():
        old = polib.pofile(str(path))
        if _texts(old) == _texts(new):
            return
    new.save(str(path))


def merge(template, translation):
    """The translation's texts in the template's order; what is no longer there is dropped."""
    known = {(e.msgctxt, e.msgid): e for e in translation if not e.obsolete}
    result = polib.POFile()
    result.header = translation.header
    result.metadata = dict(translation.metadata)
    for entry in template:
        old = known.get((entry.msgctxt, entry.msgid))
        entry = polib.POEntry(
            msgid=entry.msgid, msgctxt=entry.msgctxt, comment=entry.comment,
            occurrences=entry.occurrences, flags=list(entry.flags),
            msgstr=old.msgstr if old else "", tcomment=old.tcomment if old else "",
        )  # fmt: skip
        if old and old.fuzzy and not entry.fuzzy:
            entry.flags.append("fuzzy")
        result.append(entry)
    return result


def _empty(template, language):
    result = polib.POFile()
    result.metadata = {
        **template.metadata,
        "Language": language,
        "Language-Team": "",
        "Plural-Forms": "",
    }
    return result


def main():
    modules = [argument for argument in sys.argv[1:] if argument != "--check"]
    wanting = 0
    for module in modules:
        folder = ROOT / module / "i18n"
        template = polib.pofile(str(LOGS / f"{module}.pot"))
        _save(folder / f"{module}.pot", template)
        names = {f"{language}.po" for language in LANGUAGES} | {p.name for p in folder.glob("*.po")}
        for name in sorted(names):
            path = folder / name
            old = polib.pofile(str(path)) if path.exists() else _empty(template, path.stem)
            new = merge(template, old)
            _save(path, new)
            missing, fuzzy = len(new.untranslated_entries()), len(new.fuzzy_entries())
            wanting += missing + fuzzy
            print(
                f"{path.relative_to(ROOT)}: {len(new)} texts, {missing} untranslated, {fuzzy} fuzzy"
            )
    return 1 if wanting and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
