"""`yuanshang doctor`: looks at everything a meeting stands on, from this machine alone, and says what to do.

Each module looks at one thing and gives `Finding`s; `examination` has them in order. Nothing here goes
beyond this machine.
"""
