"""Backups of a whole data directory, taken beside a running server, and their way back.

`writer` takes one, `restorer` puts one in place; both know a backup through `manifest`. Every failure is a
`BackupError`.
"""
