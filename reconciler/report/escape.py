"""Make text from files and services harmless: what it says is shown, what it would do to a screen is not."""

import unicodedata


def visible(text: str) -> str:
    """Return `text` on one line, with control, format and bidirectional characters shown as `\\u` escapes."""
    if text.isprintable():  # nearly always; a plan has a million characters
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character == "\n":
        return "\\n"
    if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Cs", "Co"):
        return f"\\u{ord(character):04x}"
    return character
