"""Why a server cannot start."""


class StartError(Exception):
    """The server cannot start; the message is for the person at the terminal."""
