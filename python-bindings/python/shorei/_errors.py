"""The exceptions of the package."""

from __future__ import annotations


class ShoreiError(Exception):
    """What every exception of this package is.

    ``code`` is stable between versions and meant for programs; the message is meant for people and
    says what to do. Neither holds text of a report.

    >>> import shorei
    >>> try:
    ...     shorei.Pipeline(dictionaries=["no-such.pack"])
    ... except FileNotFoundError as error:
    ...     isinstance(error, shorei.ShoreiError), error.code
    (True, 'io')
    """

    code: str

    def __init__(self, message: str, code: str = "error") -> None:
        super().__init__(message)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> tuple[type[ShoreiError], tuple[str, str]]:
        return type(self), (str(self), self.code)


class ShoreiOSError(ShoreiError, OSError):
    """A file or folder could not be read or written."""


class ShoreiFileNotFoundError(ShoreiOSError, FileNotFoundError):
    """A file or folder is not there."""


class ShoreiValueError(ShoreiError, ValueError):
    """A value, a file's content, or a report cannot be used."""
