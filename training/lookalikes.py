"""Other ways to write a letter: tables for attacks.py, kept apart from those that undo them.

Written independently of `moderation.confusables`: a table tested against itself proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from string import ascii_letters, ascii_lowercase, ascii_uppercase

Table = Mapping[str, Sequence[str]]


def _run(upper: int, lower: int) -> Table:
    """The alphabet that Unicode keeps at these two places."""
    points = (upper + i for i in range(26)), (lower + i for i in range(26))
    return dict(zip(ascii_uppercase + ascii_lowercase, map(chr, chain(*points)), strict=True))


def _joined(*tables: Table) -> Table:
    letters = {letter for table in tables for letter in table}
    return {
        letter: [way for table in tables for way in table.get(letter, ())] for letter in letters
    }


FULL_WIDTH = _run(0xFF21, 0xFF41)
MATHEMATICAL = _joined(
    # bold, bold italic, bold script, bold Fraktur, sans-serif, sans-serif bold, monospace:
    # the alphabets without holes
    *(
        _run(start, start + 26)
        for start in (0x1D400, 0x1D468, 0x1D4D0, 0x1D56C, 0x1D5A0, 0x1D5D4, 0x1D670)
    )
)
CIRCLED = _run(0x24B6, 0x24D0)
SUPERSCRIPT: Table = dict(
    zip("abcdefghijklmnoprstuvwxyz", "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ", strict=True)
)
NAMED_ENTITIES: Table = {
    # &vopf; &vfr; &vscr;: double-struck, Fraktur and script letters have names
    letter: [f"&{letter}{style};" for style in ("opf", "fr", "scr")]
    for letter in ascii_letters
}

CYRILLIC: Table = dict(
    zip("aceghijklmopstuwxyABCEHIJKMOPSTXY", "асеԍһіјкӏморѕтцԝхуАВСЕНІЈКМОРЅТХҮ", strict=True)
)
GREEK: Table = dict(zip("aeiknoptuvwxyABEHIKMNOPTXYZ", "αειкηορτυνωχγΑΒΕΗΙΚΜΝΟΡΤΧΥΖ", strict=True))
HOMOGLYPHS = _joined(CYRILLIC, GREEK)
RARE_HOMOGLYPHS: Table = {
    # Armenian, Coptic, Cherokee, Lisu, Latin letters of phonetics and of old orthographies
    "a": "ɑ⍺",
    "b": "ƅᖯ",
    "c": "ϲⲥ",
    "d": "ꓒɗ",
    "e": "ҽ℮",
    "f": "ẝք",
    "g": "ցƍ",
    "h": "հᏂ",
    "i": "ɩꙇ",
    "l": "ǀו",
    "n": "ոռ",
    "o": "օⲟ",
    "p": "ⲣƿ",
    "q": "գզ",
    "r": "ⲅꭇ",
    "s": "ꜱƽ",
    "t": "ƭꞇ",
    "u": "սꭎ",
    "v": "ꮩѵ",
    "w": "աꮃ",
    "x": "ⲭ᙮",
    "y": "ყỿ",
    "z": "ᴢꮓ",
    "A": "ꓮᎪ",
    "B": "ꓐᏴ",
    "E": "ꓰᎬ",
    "H": "ꓧᎻ",
    "S": "ꓢՏ",
    "T": "ꓔᎢ",
}
SMALL_CAPITALS: Table = dict(
    zip("abcdefghijklmnopqrstuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", strict=True)
)
STROKED: Table = dict(zip("bdhilotuyzDHLOT", "ƀđħɨłøŧʉɏƶĐĦŁØŦ", strict=True))
# squares and circles with white letters, and the letters that flags are made of
BADGES = _joined(_run(0x1F170, 0x1F170), _run(0x1F150, 0x1F150), _run(0x1F1E6, 0x1F1E6))
UPSIDE_DOWN: Mapping[str, str] = dict(
    zip(ascii_lowercase, "ɐqɔpǝɟƃɥᴉɾʞlɯuodbɹsʇnʌʍxʎz", strict=True)
)
LEET: Table = {
    letter: ways
    for small, ways in {
        "a": "4@",
        "b": "86",
        "c": "(",
        "e": "3",
        "g": "96",
        "h": "#",
        "i": "1!|",
        "l": "1|",
        "o": "0",
        "s": "5$",
        "t": "7+",
        "z": "2",
    }.items()
    for letter in (small, small.upper())
}
RESPELLINGS = (
    ("ck", "kk"),
    ("ph", "f"),
    ("f", "ph"),
    ("er", "a"),
    ("c", "k"),
    ("ss", "zz"),
    ("s", "z"),
    ("u", "oo"),
    ("i", "y"),
)
KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")

ZERO_WIDTH = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff")
SOFT_HYPHEN = ("\u00ad",)
BIDI_MARKS = ("\u200e", "\u200f", "\u061c", "\u202a\u202c", "\u2066\u2069")
VARIATION_SELECTORS = ("\ufe00", "\ufe0e", "\ufe0f", "\U000e0100", "\U000e01ef")
# musical, shorthand and annotation controls: drawn as nothing, and in no usual list
FORMAT_CONTROLS = ("\U0001d173", "\U0001d17a", "\U0001bca0", "\U0001bca3", "\ufff9", "\ufffb")
CONTROL_CHARACTERS = ("\x01", "\x08", "\x0f", "\x7f", "\x80", "\x9f")
SPACES = ("\u00a0", "\u2002", "\u2003", "\u2009", "\u202f", "\u205f", "\u3000", "\u1680")
BLANK_LETTERS = ("\u2800", "\u3164", "\u115f", "\uffa0")
"""Drawn as a blank, but no space to a program: Braille without dots, Hangul fillers."""
ACCENTS = tuple(map(chr, range(0x300, 0x30D)))
STACKED_MARKS = tuple(map(chr, range(0x300, 0x370)))
OTHER_MARKS = ("\u20d2", "\u20d8", "\u20dd", "\u20e0", "\u1ab0", "\u1dc4", "\ufe20", "\ufe2f")
"""Strokes, circles and half marks outside the block that everyone knows."""
EMOJI = ("🙂", "😂", "👍", "🎉", "❤️", "🌻", "🤔", "☕")
